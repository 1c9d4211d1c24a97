"""Options that the verbs on runs share, gathered into frozen choices.

A choice holds what was typed and becomes the instrument's own settings inside the command, so that
``--help`` imports no numerics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError, closest
from isoflop.present.options import EvidenceChoice, Verb, evidence_options, with_options
from isoflop.present.parse import Number, Word

if TYPE_CHECKING:
    from isoflop.scaling.frontier.costs import Cost
    from isoflop.scaling.runs import Runs
    from isoflop.scaling.settings import Objective, Preset
    from isoflop.stats.resample import Bootstrap

Command = Callable[..., Any]

REPS = 2000
DEFAULT_LAW = "chinchilla"
PREFERRED = ("chinchilla_points", "scaling_runs")
"""The public points where they were pulled, else the grid that this project measured."""
OWN_TEXT = {"dataset": "zipf_words"}
"""The part of the measured grid that a verb takes when none is named: its entropy rate is known."""
OBJECTIVES = ("huber", "lad", "student", "gaussian")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsChoice:
    """Which runs of which evidence, as typed."""

    evidence: EvidenceChoice
    x: str | None
    outcome: str
    params: str
    drop_highest: int | None
    where: tuple[str, ...]

    def runs(self, preset: Preset | None = None) -> Runs:
        """Return the chosen runs; a preset says how many of the highest losses go."""
        from isoflop.present.console import say
        from isoflop.present.evidence import read_table
        from isoflop.scaling.runs import select

        table = read_table(self.evidence, "scaling_runs", PREFERRED)
        drop = self.drop_highest
        if drop is None:
            drop = preset.drop_highest if preset else 0
        where = _conditions(self.where)
        if not where and table.name == "scaling_runs" and table.kind in ("embedded", "measured"):
            where = OWN_TEXT
            say(f"runs: those on {OWN_TEXT['dataset']}, whose entropy rate is known; others with --where.")
        return select(
            table,
            x=self.x,
            outcome=self.outcome,
            params=self.params,  # type: ignore[arg-type]
            drop_highest=drop,
            where=where,
        )


def _conditions(pairs: tuple[str, ...]) -> dict[str, str]:
    """Return the texts of ``--where`` as a mapping of column to value."""
    found: dict[str, str] = {}
    for pair in pairs:
        column, _, value = (part.strip() for part in pair.partition("="))
        if not (column and value):
            raise SettingError(f"--where: {pair!r}, needs COLUMN=VALUE. Write family=mine, say.")
        if column in found:
            raise SettingError(f"--where: {column} is given twice, needs one value. Drop one.")
        found[column] = value
    return found


def runs_options(command: Command) -> Command:
    """Add the evidence options and the rules for runs; the command receives ``choice``."""

    @wraps(command)
    def wrapped(evidence: EvidenceChoice, **given: Any) -> Any:
        names = [name for name in RunsChoice.__slots__ if name != "evidence"]
        chosen = RunsChoice(evidence=evidence, **{name: given.pop(name) for name in names})
        return command(choice=chosen, **given)

    return with_options(
        wrapped,
        evidence_options,
        click.option("--x", metavar="COLUMN", help="The resource of a law of one, e.g. train_flop."),
        click.option(
            "--outcome", metavar="COLUMN", default="loss_nats", show_default=True, help="Column of the loss."
        ),
        click.option(
            "--params",
            type=Word(("total", "no_embed")),
            default="total",
            show_default=True,
            help="Which count of parameters N is.",
        ),
        click.option(
            "--drop-highest",
            type=Number(int, 5),
            metavar="K",
            help="Leave out the K highest losses.  [default: 0, or the preset's]",
        ),
        click.option(
            "--where", metavar="COLUMN=VALUE", multiple=True, help="Keep only these runs. May be repeated."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LawChoice:
    """Law, objective and preset as typed."""

    law: str | None
    objective: str | None
    preset: str | None

    def published(self) -> Preset | None:
        """Return the preset, if one was named."""
        from isoflop.scaling.settings import preset

        return None if self.preset is None else preset(self.preset)

    def name(self) -> str:
        """Return the law: as named, the preset's, or the default."""
        chosen = self.published()
        return self.law or (chosen.law if chosen else DEFAULT_LAW)

    def setting(self) -> Objective | None:
        """Return the objective: as named, the preset's, or None for the default."""
        chosen = self.published()
        if self.objective is not None:
            return parse_objective(self.objective)
        return chosen.objective if chosen else None


def law_options(command: Command) -> Command:
    """Add ``--law --objective --preset``; the command receives ``law``."""

    @wraps(command)
    def wrapped(**given: Any) -> Any:
        chosen = LawChoice(**{name: given.pop(name) for name in LawChoice.__slots__})
        return command(law=chosen, **given)

    return with_options(
        wrapped,
        click.option("--law", metavar="NAME", help="A law (isoflop scaling laws).  [default: chinchilla]"),
        click.option(
            "--objective",
            metavar="NAME[:VALUE]",
            help="huber[:DELTA|mad], lad, student[:DF] or gaussian[:log|raw].  [default: huber:0.001]",
        ),
        click.option(
            "--preset",
            metavar="NAME",
            help="A published analysis: besiroglu2024 or besiroglu2024_table.",
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalChoice:
    """How to resample, as typed."""

    bootstrap: int | None
    by: str
    resample: str | None
    level: float
    seed: int | None

    def setting(self, default: int | None = REPS) -> Bootstrap | None:
        """Return the bootstrap, or None for ``--bootstrap 0``."""
        from isoflop.stats.resample import Bootstrap

        reps = default if self.bootstrap is None else self.bootstrap
        if reps is not None and (reps < 0 or reps == 1):
            raise SettingError(f"--bootstrap: {reps}, must be 0 or at least 2. Use {REPS}.")
        drawn = Bootstrap(reps=reps or REPS, by=self.by, seed=self.seed or 0, level=self.level)
        return drawn if reps else None

    def what(self, preset: Preset | None) -> str:
        """Return what is resampled: a preset repeats the published draws unless a seed is given."""
        if self.resample is not None:
            return self.resample
        return "published" if preset is not None and self.seed is None and self.by == "row" else "pairs"


def interval_options(command: Command) -> Command:
    """Add ``--bootstrap --by --resample --level --seed``; the command receives ``interval``."""

    @wraps(command)
    def wrapped(**given: Any) -> Any:
        chosen = IntervalChoice(**{name: given.pop(name) for name in IntervalChoice.__slots__})
        return command(interval=chosen, **given)

    return with_options(
        wrapped,
        click.option(
            "--bootstrap",
            type=Number(int, REPS),
            metavar="N",
            help=f"Draws for intervals; 0 for none.  [default: {REPS}]",
        ),
        click.option(
            "--by",
            metavar="row|COLUMN",
            default="row",
            show_default=True,
            help="What is drawn together, e.g. family.",
        ),
        click.option(
            "--resample",
            type=Word(("pairs", "residual", "wild", "published")),
            help="What is resampled.  [default: pairs; under --preset without --seed, the published draws]",
        ),
        click.option(
            "--level", type=Number(float, 0.95), default=0.95, show_default=True, help="Level of intervals."
        ),
        click.option(
            "--seed",
            type=click.IntRange(min=0),
            help="Seed of every draw; the same seed gives the same numbers.  [default: 0]",
        ),
    )


def at_flop_option(help_text: str) -> Callable[[Command], Command]:
    """Add ``--at-flop``."""
    return click.option("--at-flop", type=Number(float, 1e21), metavar="FLOP", help=help_text)


def cost_option(command: Command) -> Command:
    """Add ``--cost``; the command receives it as text."""
    return click.option(
        "--cost",
        metavar="MODEL",
        default="6nd",
        show_default=True,
        help="6nd, attention[:CONTEXT], lifetime:TOKENS served, or column:NAME of measured costs.",
    )(command)


def parse_cost(text: str, runs: Runs) -> Cost:
    """Return the cost model of ``--cost``.

    Raises
    ------
    SettingError
        It is none of the four, or its value is missing.
    """
    from isoflop.scaling.frontier.costs import COSTS, Attention, Lifetime, SixND, measured

    name, _, value = text.partition(":")
    if name == "6nd" and not value:
        return SixND()
    if name == "attention":
        return Attention(context=_number(value, "--cost attention")) if value else Attention()
    if name == "lifetime":
        return Lifetime(inference_tokens=_number(value, "--cost lifetime"))
    if name == "column" and value:
        return measured(runs, value)
    near = closest(name, COSTS)
    hint = f"Did you mean {near}?" if near and near != name else "Write lifetime:1e13, say."
    raise SettingError(
        f"--cost: {text!r}, must be 6nd, attention[:CONTEXT], lifetime:TOKENS or column:NAME. {hint}"
    )


def parse_objective(text: str) -> Objective:
    """Return the objective of ``--objective``.

    Raises
    ------
    SettingError
        It is none of the four.

    Examples
    --------
    >>> parse_objective("huber:0.01"), parse_objective("gaussian:raw")
    (Huber(delta=0.01), Gaussian(space='raw'))
    """
    from isoflop.scaling.settings import LAD, Gaussian, Huber, StudentT

    name, _, value = text.strip().lower().partition(":")
    if name == "huber":
        if value == "mad":
            return Huber(delta="mad")
        return Huber(delta=_number(value, "--objective huber")) if value else Huber()
    if name == "lad" and not value:
        return LAD()
    if name == "student":
        return StudentT(df=_number(value, "--objective student")) if value else StudentT()
    if name == "gaussian" and value in ("", "log", "raw"):
        return Gaussian(space="raw" if value == "raw" else "log")
    near = closest(name, OBJECTIVES)
    hint = f"Did you mean {near}?" if near and near != name else "Use huber."
    raise SettingError(
        f"--objective: {text!r}, must be huber[:DELTA|mad], lad, student[:DF] or gaussian[:log|raw]. {hint}"
    )


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingError(f"{where}: {text!r}, must be a number after the colon. Write one.") from None


def verb(short_help: str) -> Callable[[Command], Verb]:
    """Make a function a verb of `isoflop scaling`, its options listed by what they decide."""
    headings = {
        "Runs": RunsChoice.__slots__,
        "Law": LawChoice.__slots__,
        "Interval": IntervalChoice.__slots__,
    }
    return click.command(cls=Verb, headings=headings, short_help=short_help)
