"""How far does the answer move when a choice that nobody is sure of is made otherwise?

One choice at a time (`sweep`), or every combination of them (`sensitivity_map`, the rows of a
specification curve). Every variant is certified and lists all its minima: a choice that swaps
which minimum is deeper moves the answer more than its own interval.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from isoflop.errors import EvidenceError, NoFitError, SettingError, closest
from isoflop.progress.fit import check_sample, fit
from isoflop.progress.model import LAWS, Model, Normalisers, model
from isoflop.progress.result import Basin, ProgressFit
from isoflop.progress.robustness.penalty_path import continue_branches, path_penalties, trace_minima
from isoflop.progress.robustness.sweep_result import SensitivityMap, Sweep, Variant
from isoflop.progress.sample import Rules, Sample, select
from isoflop.progress.settings import L1, PENALTIES, Starts
from isoflop.stats.resample import Bootstrap

if TYPE_CHECKING:
    from isoflop.evidence import Table

Over = Literal["penalty", "normaliser", "perplexity", "sample", "law"]
Progress = Callable[[str, float], None]
SINCE = 2017.444
"""Date from which the paper's later-systems sample runs."""
FIXED_YEAR = 2017.0
"""Y0 of the paper's normaliser check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleChoice:
    """One way to choose rows: how the rules change, and a column that must not be empty for it."""

    text: str
    change: Mapping[str, Any]
    column: str = ""


SAMPLES: dict[str, SampleChoice] = {
    "head": SampleChoice(text="three rows a paper", change={"top_per_paper": 3}),
    "cluster": SampleChoice(text="all rows", change={"top_per_paper": None}),
    "one_per_paper": SampleChoice(text="one row a paper", change={"top_per_paper": 1}),
    "since_2017": SampleChoice(text=f"published since {SINCE}", change={"since": SINCE}),
    "no_zero_shot": SampleChoice(text="no zero-shot rows", change={"zero_shot": "drop"}, column="zero_shot"),
    "no_cache": SampleChoice(text="no cache", change={"cache": "drop"}, column="uses_cache"),
    "peer_reviewed": SampleChoice(
        text="peer-reviewed papers", change={"peer_reviewed": True}, column="peer_reviewed"
    ),
    "word_level": SampleChoice(text="word-level perplexities", change={"level": "word"}, column="level"),
    "no_adaptation": SampleChoice(
        text="no adaptation at test time", change={"adaptation": "drop"}, column="adaptation"
    ),
}
"""Samples of a sweep, by name."""

NORMALISERS: dict[str, tuple[str, Callable[[Normalisers], Normalisers]]] = {
    "minima": ("sample minima", lambda base: base),
    "n0_x10": ("N0 × 10", lambda base: replace(base, parameters=10 * base.parameters)),
    "d0_x10": ("D0 × 10", lambda base: replace(base, data=10 * base.data)),
    "n0_d0_x10": (
        "N0 and D0 × 10",
        lambda base: replace(base, parameters=10 * base.parameters, data=10 * base.data),
    ),
    "y0_2017": ("Y0 2017", lambda base: replace(base, year=FIXED_YEAR)),
}
"""What logarithms and years are taken against, by name."""
MAP_SAMPLES = ("head", "cluster", "one_per_paper", "since_2017", "no_zero_shot", "no_cache")


def sweep(
    evidence: Sample | Table,
    *,
    over: Over = "penalty",
    law: int = 7,
    penalty: L1 | None = None,
    starts: Starts | None = None,
    ci: Bootstrap | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Refit under every variant of one choice.

    Parameters
    ----------
    evidence : Sample or Table
        A table is selected by `OWN_RULES`. ``over="perplexity"`` and ``"sample"`` select again
        from the sample's table by its changed rules.
    over : {"penalty", "normaliser", "perplexity", "sample", "law"}
        "penalty": 40 log-spaced values and the paper's six, minima tracked from one to the next.
        "perplexity": own and first, at the paper's six penalties. "law": all of them.
    law : int
        Ignored by ``over="law"``.
    penalty : L1
        Where it is not swept.
    ci : Bootstrap, optional
        Adds an interval to each variant; along the path of penalties only to the paper's six.

    Returns
    -------
    Sweep

    Raises
    ------
    SettingError
        Unknown choice.
    EvidenceError
        The first variant has too few rows, or the sample is not what its rules select.

    Examples
    --------
    >>> from isoflop import evidence
    >>> found = sweep(evidence.load("language_evaluations"), over="normaliser", starts=Starts(count=6))
    >>> [v.slug for v in found.variants]
    ['minima', 'n0_x10', 'd0_x10', 'n0_d0_x10', 'y0_2017']
    """
    kinds = get_args(Over)
    if over not in kinds:
        near = closest(str(over), kinds)
        hint = f"Did you mean {near!r}?" if near else "Use 'penalty'."
        raise SettingError(f"sweep: over={over!r}, must be one of {', '.join(kinds)}. {hint}")
    sample = evidence if isinstance(evidence, Sample) else select(evidence)
    penalty, starts = penalty or L1(), starts or Starts()
    run = _Run(sample=sample, law=law, penalty=penalty, starts=starts, ci=ci, progress=progress)
    variants = tuple(getattr(run, f"over_{over}")())
    return Sweep(over=over, variants=variants, sample=sample, law=law, penalty=penalty, seed=starts.seed)


def sensitivity_map(
    evidence: Sample | Table,
    *,
    law: int = 7,
    penalties: Sequence[float] = PENALTIES,
    normalisers: Sequence[str] = ("minima", "n0_x10", "d0_x10", "y0_2017"),
    perplexities: Sequence[str] = ("own", "first"),
    samples: Sequence[str] = MAP_SAMPLES,
    starts: Starts | None = None,
    progress: Progress | None = None,
) -> SensitivityMap:
    """Refit under every combination of penalty, normaliser, perplexity and sample.

    The rows of a specification curve. Combinations that the table cannot answer are listed with
    the reason.

    Parameters
    ----------
    penalties : sequence of float, rising
    normalisers, samples : sequences of str
        Names in `NORMALISERS` and `SAMPLES`.
    starts : Starts, default Starts(count=12)
        Fewer than a single fit takes, because neighbouring penalties lend each other their minima.
    """
    base = evidence if isinstance(evidence, Sample) else select(evidence)
    for name, wanted, known in (("normaliser", normalisers, NORMALISERS), ("sample", samples, SAMPLES)):
        for one in wanted:
            if one not in known:
                raise SettingError(f"sensitivity_map: {name} {one!r}, must be one of {', '.join(known)}.")
    starts = starts or Starts(count=12)
    run = _Run(sample=base, law=law, penalty=L1(), starts=starts, ci=None, progress=None)
    cells = list(product(samples, perplexities, normalisers))
    variants: list[Variant] = []
    for i, (rows, perplexity, normaliser) in enumerate(cells):
        choices = {"sample": rows, "perplexity": perplexity, "normaliser": normaliser}
        found = run.reselect(SAMPLES[rows], {"perplexity": perplexity})
        if isinstance(found, str):
            variants.append(_skipped("_".join((rows, perplexity, normaliser)), choices, found))
        else:
            shifted = NORMALISERS[normaliser][1](found.normalisers)
            variants += run.cell(found, replace(L1(), normalisers=shifted), penalties, choices)
        if progress is not None:
            progress("combinations", (i + 1) / len(cells))
    return SensitivityMap(variants=tuple(variants), sample=base, law=law, seed=starts.seed)


def _skipped(slug: str, choices: Mapping[str, Any], why: str) -> Variant:
    return Variant(
        setting=", ".join(map(str, choices.values())), slug=slug, choices=choices, fit=None, why_not=why
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """The settings that all variants of a sweep share."""

    sample: Sample
    law: int
    penalty: L1
    starts: Starts
    ci: Bootstrap | None
    progress: Progress | None

    def over_penalty(self) -> Iterator[Variant]:
        penalties = path_penalties()
        traced = self.trace(self.sample, self.penalty, penalties)
        model_ = traced[0].model
        strengths = np.array([one.penalty.strengths(model_) for one in traced])
        branches = continue_branches(
            model_.design(self.sample.features),
            self.sample.outcome,
            [one.minima for one in traced],  # type: ignore[misc]
            strengths,
        )
        for i, (delta, one, numbers) in enumerate(zip(penalties, traced, branches, strict=True)):
            paper = delta in PENALTIES
            fitted = self.fit(self.sample, self.law, one.penalty) if paper and self.ci else one
            yield Variant(
                setting=f"penalty {delta:g}",
                slug=penalty_slug(delta),
                choices={"delta": delta},
                fit=fitted,
                branches=numbers if len(numbers) == len(fitted.minima) else (),
                headline=paper,
            )
            self.tell("penalty", i + 1, len(penalties))

    def over_normaliser(self) -> Iterator[Variant]:
        for i, (slug, (text, shift)) in enumerate(NORMALISERS.items()):
            penalty = replace(self.penalty, normalisers=shift(self.base()))
            yield self.variant(text, slug, {"normaliser": slug}, self.sample, self.law, penalty)
            self.tell("normaliser", i + 1, len(NORMALISERS))

    def over_perplexity(self) -> Iterator[Variant]:
        for i, which in enumerate(("own", "first")):
            found = self.reselect(SampleChoice(text="", change={}), {"perplexity": which})
            if isinstance(found, str):
                yield _skipped(f"perplexity_{which}", {"perplexity": which}, found)
                continue
            traced = self.trace(found, replace(self.penalty, normalisers="sample"), PENALTIES)
            for delta, one in zip(PENALTIES, traced, strict=True):
                yield Variant(
                    setting=f"{which} perplexity, penalty {delta:g}",
                    slug=f"perplexity_{which}.{penalty_slug(delta)}",
                    choices={"perplexity": which, "delta": delta},
                    fit=self.fit(found, self.law, one.penalty) if self.ci else one,
                )
            self.tell("perplexity", i + 1, 2)

    def over_sample(self) -> Iterator[Variant]:
        for i, (slug, choice) in enumerate(SAMPLES.items()):
            found = self.reselect(choice)
            choices = {"sample": slug}
            if isinstance(found, str):
                yield _skipped(slug, choices, found)
            else:
                yield self.variant(choice.text, slug, choices, found, self.law, self.penalty)
            self.tell("sample", i + 1, len(SAMPLES))

    def over_law(self) -> Iterator[Variant]:
        for i, (number, law) in enumerate(LAWS.items()):
            text, rows = f"law {number}: {law.text}", self.sample
            if law.vocabulary and np.isnan(rows.features.log_vocabulary).any():
                found = self.reselect(SampleChoice(text="", change={"need": ("vocabulary",)}))
                rows = self.sample if isinstance(found, str) else found
                text += " (fewer rows: objective not comparable)"
            yield self.variant(text, f"law_{number}", {"law": number}, rows, number, self.penalty)
            self.tell("law", i + 1, len(LAWS))

    def variant(
        self, text: str, slug: str, choices: Mapping[str, Any], rows: Sample, law: int, penalty: L1
    ) -> Variant:
        """Return one fitted variant, or one that says why the rows cannot answer."""
        try:
            fitted = self.fit(rows, law, penalty)
        except (EvidenceError, NoFitError) as error:
            return Variant(setting=text, slug=slug, choices=choices, fit=None, why_not=str(error))
        return Variant(setting=text, slug=slug, choices=choices, fit=fitted)

    def fit(self, rows: Sample, law: int, penalty: L1) -> ProgressFit:
        ci = self.ci if LAWS[law].has_time else None
        return fit(rows, law=law, penalty=penalty, starts=self.starts, ci=ci)

    def trace(self, rows: Sample, penalty: L1, penalties: Sequence[float]) -> list[ProgressFit]:
        """Return fits at every penalty; their minima lend each other starts."""
        base = rows.normalisers if penalty.normalisers == "sample" else penalty.normalisers
        chosen: Model = model(self.law, benchmarks=rows.benchmarks, normalisers=base)
        check_sample(rows, chosen)
        traced = trace_minima(
            chosen.design(rows.features),
            rows.outcome,
            chosen,
            penalties=penalties,
            penalty=penalty,
            starts=self.starts,
        )
        return [
            ProgressFit(
                sample=rows,
                model=chosen,
                penalty=replace(penalty, delta=delta),
                minima=tuple(Basin.of(m) for m in minima),
                draws=None,
                jackknife=None,
                ci=None,
                compat="converged",
                seed=self.starts.seed,
                starts=self.starts.count + 1,
            )
            for delta, minima in zip(penalties, traced, strict=True)
        ]

    def cell(
        self, rows: Sample, penalty: L1, penalties: Sequence[float], choices: Mapping[str, Any]
    ) -> list[Variant]:
        """Return the variants of one combination at every penalty."""
        stem = "_".join(map(str, choices.values()))
        try:
            traced = self.trace(rows, penalty, penalties)
        except (EvidenceError, NoFitError) as error:
            return [_skipped(stem, choices, str(error))]
        return [
            Variant(
                setting=", ".join([*map(str, choices.values()), f"penalty {delta:g}"]),
                slug=f"{stem}.{penalty_slug(delta)}",
                choices={**choices, "delta": delta},
                fit=one,
            )
            for delta, one in zip(penalties, traced, strict=True)
        ]

    def base(self) -> Normalisers:
        chosen = self.penalty.normalisers
        return self.sample.normalisers if chosen == "sample" else chosen

    def reselect(self, choice: SampleChoice, more: Mapping[str, Any] | None = None) -> Sample | str:
        """Return the sample under changed rules, or why the table has none."""
        return reselect(self.sample, choice, more)

    def tell(self, label: str, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(label, done / total)


def reselect(sample: Sample, choice: SampleChoice, more: Mapping[str, Any] | None = None) -> Sample | str:
    """Return the sample that its table gives under changed rules, or the reason why there is none.

    Raises
    ------
    EvidenceError
        The sample holds other rows than its rules select, so they cannot be changed.
    """
    table, task = sample.table, sample.task
    if select(table, rules=sample.rules, task=task).n != sample.n:
        raise EvidenceError(
            f"sweep: the sample has {sample.n} rows, not those that its rules select from {table.name}. "
            "Pass a sample as select returns it."
        )
    if choice.column and table.frame[choice.column].null_count() == table.frame.height:
        return f"{table.name} does not fill {choice.column}"
    rules: Rules = replace(sample.rules, **{**choice.change, **(more or {})})
    if task != "language" and rules.perplexity == "first":
        return "perplexity: language only"
    try:
        found = select(table, rules=rules, task=task)
    except EvidenceError as error:
        return str(error)
    if not np.isfinite(found.outcome).all():
        return f"{int((~np.isfinite(found.outcome)).sum())} rows have no perplexity on WT103, WT2 or PTB"
    return found


def penalty_slug(delta: float) -> str:
    """Return a penalty as part of an id.

    Examples
    --------
    >>> penalty_slug(0.0025)
    'penalty_0_0025'
    """
    return "penalty_" + f"{delta:.6f}".rstrip("0").rstrip(".").replace(".", "_")
