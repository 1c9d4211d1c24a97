"""Options that the verbs of `isoflop progress` share, gathered into frozen choices.

A choice holds what was typed. It becomes the instrument's own settings (`Rules`, `L1`, `Options`,
`Starts`, `Bootstrap`) inside the command, so that ``--help`` imports no numerics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import EvidenceChoice, Verb, evidence_options, seed_option, with_options
from isoflop.present.parse import Number, Word, year_option

if TYPE_CHECKING:
    from isoflop.progress.model import Options
    from isoflop.progress.sample import Rules
    from isoflop.progress.settings import L1, Starts
    from isoflop.stats.resample import Bootstrap

Command = Callable[..., Any]

REPS, PAPER_REPS = 2000, 100
"""Draws by default, and those of the published analysis."""
ONE_CONSTANT_LAW, BENCHMARK_LAW = 1, 7


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleChoice:
    """Which rows of which evidence, as typed; None means the default."""

    evidence: EvidenceChoice
    perplexity: str | None
    top_per_paper: str | None
    zero_shot: str
    cache: str
    unit: str
    adaptation: str
    peer_reviewed: bool
    since: float | None
    need: tuple[str, ...]
    impute_vocabulary: bool
    impute_epochs: bool
    task: str | None
    outcome: str

    def rules(self, *, compat: str = "converged") -> Rules:
        """Return the rules; the published procedure implies the published perplexities.

        Raises
        ------
        SettingError
            ``--top-per-paper`` is no count.
        """
        from isoflop.progress.sample import Rules

        top: int | None = 3
        if self.top_per_paper is not None:
            text = self.top_per_paper.strip().lower()
            if text != "all" and not (text.isdecimal() and int(text)):
                raise SettingError(
                    f"--top-per-paper: {self.top_per_paper!r}, must be a whole number above 0, or all. Use 3."
                )
            top = None if text == "all" else int(text)
        return Rules(
            perplexity=self.perplexity or ("first" if compat == "paper" else "own"),  # type: ignore[arg-type]
            top_per_paper=top,
            zero_shot=self.zero_shot,  # type: ignore[arg-type]
            cache=self.cache,  # type: ignore[arg-type]
            level=self.unit,  # type: ignore[arg-type]
            adaptation=self.adaptation,  # type: ignore[arg-type]
            peer_reviewed=self.peer_reviewed,
            since=self.since,
            need=self.need,  # type: ignore[arg-type]
            impute_vocabulary=self.impute_vocabulary,
            impute_epochs=self.impute_epochs,
            outcome=self.outcome,  # type: ignore[arg-type]
        )


def sample_options(command: Command) -> Command:
    """Add the evidence options and the rules for rows; the command receives ``sample``."""

    @wraps(command)
    def wrapped(evidence: EvidenceChoice, **given: Any) -> Any:
        names = [name for name in SampleChoice.__slots__ if name != "evidence"]
        chosen = SampleChoice(evidence=evidence, **{name: given.pop(name) for name in names})
        return command(sample=chosen, **given)

    return with_options(
        wrapped,
        evidence_options,
        click.option(
            "--task",
            type=Word(["language", "image_classification"]),
            help="Needed where a table holds both.",
        ),
        click.option(
            "--perplexity",
            type=Word(["own", "first"]),
            help="Each row its own benchmark's value, or the system's first (published); "
            "default own, first under --compat paper.",
        ),
        click.option(
            "--top-per-paper", metavar="N|all", help="Lowest rows kept of each paper.  [default: 3]"
        ),
        click.option("--zero-shot", **_keep_or_drop(), help="Systems not trained on the benchmark."),
        click.option("--cache", **_keep_or_drop(), help="Systems with a cache of the test text."),
        click.option("--adaptation", **_keep_or_drop(), help="Systems that adapt at test time."),
        click.option(
            "--level",
            "unit",
            type=Word(["any", "word"]),
            default="any",
            show_default=True,
            help="Any perplexity, or word-level ones only.",
        ),
        click.option("--peer-reviewed", is_flag=True, help="Only reviewed papers."),
        click.option(
            "--since",
            metavar="DATE",
            callback=year_option,
            help="Only rows since a date or year, e.g. 2017-06-12.",
        ),
        click.option(
            "--need",
            type=Word(["vocabulary", "epochs", "train_flop"]),
            multiple=True,
            help="Drop rows without this field. May be repeated.",
        ),
        click.option(
            "--impute-vocabulary", is_flag=True, help="Fill in the benchmark's own vocabulary size."
        ),
        click.option("--impute-epochs", is_flag=True, help="Take missing epochs as 1."),
        click.option(
            "--outcome",
            type=Word(["identity", "log", "logit"]),
            default="identity",
            show_default=True,
            help="Transform of an image error before it is fitted.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LawChoice:
    """Law, penalty, starts and variations, as typed; None means the default."""

    law: int | None
    delta: float
    mask: str | None
    starts: int | None
    compat: str
    floor: str
    repetition: str
    data: str
    split_year: float | None

    def penalty(self) -> L1:
        """Return the penalty.

        Raises
        ------
        SettingError
            The strength is negative, or constants are to be free in the published procedure.
        """
        from isoflop.progress.settings import L1

        if self.compat == "paper" and self.mask == "slopes":
            raise SettingError(
                "--mask: slopes, but --compat paper penalises every parameter, as published. "
                "Drop one of them."
            )

        return L1(delta=self.delta, mask="slopes" if self.mask == "slopes" else None)

    def random_starts(self, seed: int) -> Starts:
        """Return the starts.

        Raises
        ------
        SettingError
            Starts were asked for beside the published procedure, which has one.
        """
        from isoflop.progress.settings import Starts

        if self.starts is None:
            return Starts(seed=seed)
        if self.compat == "paper":
            raise SettingError(
                f"--starts: {self.starts}, but --compat paper starts from zero only, as published. "
                "Drop one of them."
            )
        return Starts(count=self.starts, seed=seed)

    def options(self) -> Options:
        """Return the variations of the law."""
        from isoflop.progress.model import Options

        return Options(
            floor=self.floor,  # type: ignore[arg-type]
            repetition=self.repetition,  # type: ignore[arg-type]
            data=self.data,  # type: ignore[arg-type]
            split_year=self.split_year,
        )


def law_options(command: Command) -> Command:
    """Add law, penalty, starts and variations; the command receives ``law``."""

    @wraps(command)
    def wrapped(**given: Any) -> Any:
        chosen = LawChoice(**{name: given.pop(name) for name in LawChoice.__slots__})
        return command(law=chosen, **given)

    return with_options(
        wrapped,
        click.option(
            "--law",
            type=Number(int, BENCHMARK_LAW),
            metavar="N",
            help="Number of the law (isoflop progress laws); default 7, for images 1.",
        ),
        penalty_options,
        click.option(
            "--starts", type=Number(int, 24), metavar="N", help="Random starts beside zero.  [default: 24]"
        ),
        click.option(
            "--compat",
            type=Word(["converged", "paper"]),
            default="converged",
            show_default=True,
            help="Certified optimum, or the published procedure step by step.",
        ),
        click.option(
            "--floor",
            type=Word(["none", "shared", "benchmark"]),
            default="none",
            show_default=True,
            help="Irreducible loss: none, one, or one for each benchmark.",
        ),
        click.option(
            "--repetition",
            type=Word(["law", "none", "paper", "muennighoff"]),
            default="law",
            show_default=True,
            help="How epochs become effective data; 'law' leaves it to the law.",
        ),
        click.option(
            "--data",
            type=Word(["unique", "seen"]),
            default="unique",
            show_default=True,
            help="Unique examples, or examples times epochs.",
        ),
        click.option(
            "--split-year", callback=year_option, metavar="DATE", help="Further rates from this date on."
        ),
    )


def penalty_options(command: Command) -> Command:
    """Add ``--delta`` and ``--mask``."""
    return with_options(
        command,
        click.option(
            "--delta",
            type=Number(float, 0.0025),
            default=0.0025,
            show_default=True,
            help="Strength of the L1 penalty.",
        ),
        click.option(
            "--mask",
            type=Word(["all", "slopes"]),
            default="all",
            show_default=True,
            help="What it penalises.",
        ),
    )


def default_law(given: int | None, task: str) -> int:
    """Return the law: 7, which has benchmark constants; 1 for images, which have one benchmark."""
    if given is not None:
        return given
    return BENCHMARK_LAW if task == "language" else ONE_CONSTANT_LAW


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalChoice:
    """How an interval is found, as typed; None means the default."""

    bootstrap: int | None
    by: str | None
    kind: str | None
    ci_level: float
    seed: int

    def setting(self, *, compat: str = "converged", reps: int = REPS, by: str = "paper") -> Bootstrap | None:
        """Return the bootstrap, or None for ``--bootstrap 0``.

        Raises
        ------
        SettingError
            A setting is out of range, or contradicts the published procedure.
        """
        from isoflop.stats.resample import Bootstrap

        if compat == "paper":
            for option, came, needs in (("--by", self.by, "row"), ("--kind", self.kind, "percentile")):
                if came not in (None, needs):
                    raise SettingError(
                        f"{option}: {came}, but --compat paper uses {needs}, as published. Drop one of them."
                    )
            reps, by = PAPER_REPS, "row"
        if self.bootstrap is not None and self.bootstrap < 0:
            raise SettingError(
                f"--bootstrap: {self.bootstrap}, must be at least 0. Use {reps or REPS}, or 0 for none."
            )
        if self.bootstrap is not None:
            reps = self.bootstrap
        if reps == 0:
            Bootstrap(level=self.ci_level)
            return None
        return Bootstrap(
            reps=reps,
            by=self.by or by,
            seed=self.seed,
            kind=self.kind or "percentile",  # type: ignore[arg-type]
            level=self.ci_level,
        )


def verb(short_help: str) -> Callable[[Command], Verb]:
    """Make a function a verb of `isoflop progress`, its options listed by what they decide."""
    headings = {
        "Rows": SampleChoice.__slots__,
        "Law": LawChoice.__slots__,
        "Interval": IntervalChoice.__slots__,
    }
    return click.command(cls=Verb, headings=headings, short_help=short_help)


def interval_options(
    units: Sequence[str] = ("paper", "row"), *, reps: int = REPS, kinds: Sequence[str] | None = None
) -> Callable[[Command], Command]:
    """Return a decorator that adds the bootstrap; the command receives ``interval``.

    Parameters
    ----------
    units : sequence of str
        What may be resampled; the first is the default.
    reps : int
        Default number of draws.
    kinds : sequence of str, optional
        Intervals offered.
    """
    offered = tuple(kinds or ("percentile", "basic", "bca", "studentised"))

    def decorate(command: Command) -> Command:
        @wraps(command)
        def wrapped(**given: Any) -> Any:
            given.setdefault("kind", None)
            chosen = IntervalChoice(**{name: given.pop(name) for name in IntervalChoice.__slots__})
            return command(interval=chosen, **given)

        kind = click.option(
            "--kind", type=Word(offered), help=f"How draws become an interval.  [default: {offered[0]}]"
        )
        return with_options(
            wrapped,
            click.option(
                "--bootstrap",
                type=Number(int, reps or REPS),
                metavar="N",
                help=f"Draws; 0 gives no interval.  [default: {reps}]",
            ),
            click.option("--by", type=Word(units), help=f"What is resampled.  [default: {units[0]}]"),
            *((kind,) if len(offered) > 1 else ()),
            click.option(
                "--ci-level",
                type=Number(float, 0.95),
                default=0.95,
                show_default=True,
                help="Level of the interval.",
            ),
            seed_option,
        )

    return decorate


def _keep_or_drop() -> dict[str, Any]:
    return {"type": Word(["keep", "drop"]), "default": "keep", "show_default": True}
