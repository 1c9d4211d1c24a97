"""Progress without a law: systems of equal performance at different dates and compute.

*Direct matches*: a later system with no higher loss and less compute. *Iso-performance*: all systems
within a factor of a reference's perplexity; minus the slope of ln compute on date is a growth
rate of effective compute. *Savings*: the same slope where a table gives compute at one fixed accuracy.
No law is needed and little is used: the groups are small, and the intervals show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.findings import Estimate
from isoflop.progress.match_result import REFERENCES, FlopSource, IsoPerformance, Matches, Reference
from isoflop.progress.sample import Sample
from isoflop.stats.checks import unit_level
from isoflop.stats.intervals import student_quantile
from isoflop.units import FLOP_PER_PARAMETER_TOKEN

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table
    from isoflop.findings import Provenance

__all__ = ["REFERENCES", "IsoPerformance", "Matches", "Reference", "match"]

FloatArray = NDArray[np.float64]

SUSPECT_FACTOR = 10.0
"""Given FLOP this far from 6·N·D·epochs contradict the row's own size and data."""
LEAST_SYSTEMS = 3
_NEEDED = ("system", "benchmark", "perplexity", "year", "train_flop")


def match(
    evaluations: Table | Sample | Any,
    *,
    references: Sequence[Reference] = REFERENCES,
    flop: FlopSource = "given",
    suspect: Literal["drop", "keep"] = "drop",
    min_gap_years: float = 0.0,
    savings: Table | None = None,
    level: float = 0.95,
) -> Matches:
    """Find systems of equal performance and the rate at which their compute fell.

    Parameters
    ----------
    evaluations : Table or Sample
        Schema ``evaluations``, language task.
    references : sequence of Reference
        Levels for the iso-performance slopes.
    flop : {"given", "all"}
        For the direct matches: given training FLOP only, or 6ND where none is given. The slopes are
        reported both ways. 6ND counts unique tokens once and leaves out a base model's training.
    suspect : {"drop", "keep"}
        Rows whose given FLOP lie a factor of ten or more from 6·N·D·epochs (below 6·N·D if epochs
        are not known).
    min_gap_years : float, >= 0
        Least time between the two systems of a direct match.
    savings : Table, optional
        Schema ``savings``: compute to a fixed accuracy.
    level : float, in (0, 1)

    Returns
    -------
    Matches

    Raises
    ------
    EvidenceError
        A column is missing, or fewer than three systems have perplexity, date and FLOP.
    SettingError
        A setting is unknown or out of range.

    Notes
    -----
    Source: Ho et al. (2024), appendix on iso-performance; we differ in the intervals, in leaving out
    contradictory FLOP, and in counting backward pairs beside forward ones.
    """
    from isoflop.evidence.load import accept

    unit_level("match", level)
    for name, value, known in (
        ("flop", flop, get_args(FlopSource)),
        ("suspect", suspect, ("drop", "keep")),
    ):
        if value not in known:
            raise SettingError(
                f"match: {name}={value!r}, must be one of {', '.join(known)}. Use {known[0]!r}."
            )
    if not min_gap_years >= 0:
        raise SettingError(f"match: min_gap_years={min_gap_years}, must be >= 0. Use 0 for any later date.")
    for one in references:
        if not one.factor > 1:
            raise SettingError(f"match: factor={one.factor} of {one.name}, must be > 1. Use 1.1 for 10 %.")
    if not isinstance(evaluations, Sample):
        evaluations = accept(evaluations, "evaluations")
    frame, rated, notes = _rows(evaluations, suspect)
    direct = frame if flop == "all" else frame.filter(~frame["flop_is_derived"])
    pairs, forward, backward = _direct(direct, min_gap_years)
    slopes, points = [], []
    for one in references:
        for source in get_args(FlopSource):
            found, used = _at_reference(frame, rated, one, source, level)
            slopes.append(found)
            if used is not None:
                points.append(used)
    saved, saved_points, evidence = _savings(savings, level)
    table = evaluations.table if isinstance(evaluations, Sample) else evaluations
    return Matches(
        pairs=pairs,
        forward=forward,
        backward=backward,
        points=_stacked([*points, *saved_points]),
        slopes=tuple(slopes),
        savings=saved,
        n=direct.height,
        level=level,
        cautions=(*notes, *_doubts(slopes, forward + backward)),
        provenance=(table.provenance(frame.height), *evidence),
    )


def _rows(evaluations: Table | Sample, suspect: str) -> tuple[pl.DataFrame, pl.DataFrame, tuple[str, ...]]:
    """Return rows with perplexity, date and FLOP that fit each other; all rated rows; and notes.

    Of a table, rows that its compilers set aside are left out, as a sample's rules do.
    """
    import polars as pl

    frame = evaluations.frame
    for name in _NEEDED:
        if name not in frame.columns:
            near = closest(name, frame.columns)
            hint = f"closest is {near!r}" if near else f"it has {', '.join(frame.columns)}"
            raise EvidenceError(
                f"match: column {name!r} not in the evaluations; {hint}. Map it when loading."
            )
    for name, dtype in (("paper", pl.String()), ("parameters", pl.Float64()), ("train_tokens", pl.Float64())):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=dtype).alias(name))
    for name, empty in (("flop_is_derived", pl.lit(False)), ("epochs", pl.lit(None, dtype=pl.Float64()))):
        if name not in frame.columns:
            frame = frame.with_columns(empty.alias(name))
    aside = [("is_included", False), ("is_outlier", True), ("is_uncertain", True)]
    for name, value in aside:
        if name in frame.columns:
            frame = frame.filter(pl.col(name).ne_missing(value))
    rated = frame.drop_nulls(["perplexity", "year"])
    whole = rated.drop_nulls(["train_flop"]).with_columns(paper=pl.coalesce("paper", "system"))
    own = FLOP_PER_PARAMETER_TOKEN * pl.col("parameters") * pl.col("train_tokens")
    ratio = pl.col("train_flop") / (own * pl.col("epochs").fill_null(1.0))
    odd = (ratio < 1 / SUSPECT_FACTOR) | ((ratio > SUSPECT_FACTOR) & pl.col("epochs").is_not_null())
    whole = whole.with_columns(is_suspect=(odd & ~pl.col("flop_is_derived")).fill_null(False))
    notes = []
    names = sorted(set(whole.filter("is_suspect")["system"]))
    if names:
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        done = "left out" if suspect == "drop" else "kept"
        notes.append(
            f"Given FLOP of {len(names)} systems contradict their own 6·N·D·epochs by {SUSPECT_FACTOR:g}× "
            f"or more and are {done}: {', '.join(names[:6])}{more}. Check the source."
        )
    if suspect == "drop":
        whole = whole.filter(~pl.col("is_suspect"))
    if whole.height < LEAST_SYSTEMS:
        raise EvidenceError(
            f"match: {whole.height} rows with perplexity, date and train_flop, needs at least "
            f"{LEAST_SYSTEMS}. Add some."
        )
    return whole.sort("year", "system", "benchmark"), rated, tuple(notes)


def _direct(frame: pl.DataFrame, min_gap_years: float) -> tuple[pl.DataFrame, int, int]:
    """Return one match per earlier system, and the counts of forward and backward pairs."""
    import polars as pl

    rows, forward, backward = [], 0, 0
    for (benchmark,), part in frame.group_by("benchmark", maintain_order=True):
        year, flop, ppl = (part[c].to_numpy() for c in ("year", "train_flop", "perplexity"))
        paper = part["paper"].to_numpy()
        later = year[None, :] - year[:, None] > max(min_gap_years, 1e-9)
        other = paper[None, :] != paper[:, None]
        # [i, j]: j is no worse than i, and cheaper.
        better = (ppl[None, :] <= ppl[:, None]) & (flop[None, :] < flop[:, None]) & other
        forward += int(np.sum(better & later))
        backward += int(np.sum(better & later.T))
        for i in range(part.height):
            hits = np.flatnonzero(better[i] & later[i])
            if hits.size == 0:
                continue
            first = hits[np.lexsort((flop[hits], year[hits]))][0]
            gap = float(year[first] - year[i])
            saving = float(flop[i] / flop[first])
            rows.append(
                {
                    "benchmark": benchmark,
                    "system": part["system"][i],
                    "year": float(year[i]),
                    "perplexity": float(ppl[i]),
                    "train_flop": float(flop[i]),
                    "later_system": part["system"][int(first)],
                    "later_year": float(year[first]),
                    "later_perplexity": float(ppl[first]),
                    "later_train_flop": float(flop[first]),
                    "saving": saving,
                    "rate_ln_per_year": float(np.log(saving) / gap),
                }
            )
    names = {"benchmark": pl.String(), "system": pl.String(), "later_system": pl.String()}
    schema = {
        name: names.get(name, pl.Float64())
        for name in (
            "benchmark", "system", "year", "perplexity", "train_flop", "later_system", "later_year",
            "later_perplexity", "later_train_flop", "saving", "rate_ln_per_year",
        )
    }  # fmt: skip
    return pl.DataFrame(rows, schema=schema), forward, backward


def _at_reference(
    frame: pl.DataFrame, rated: pl.DataFrame, reference: Reference, flop: FlopSource, level: float
) -> tuple[IsoPerformance, pl.DataFrame | None]:
    """Return the slope at a reference's level, and the systems behind it."""
    import polars as pl

    def without(why: str, n: int) -> IsoPerformance:
        return IsoPerformance(
            level=reference.name,
            flop=flop,
            rate=Estimate(value=None, unit="ln/yr"),
            n=n,
            published_months=reference.published_months,
            why_not=why,
        )

    bench = frame.filter(pl.col("benchmark") == reference.benchmark)
    starts = pl.col("system").str.starts_with(reference.name)
    named = rated.filter((pl.col("benchmark") == reference.benchmark) & starts).sort(
        "year", "perplexity", "system"
    )
    if named.height == 0:
        return without(f"no system named {reference.name} on {reference.benchmark}", 0), None
    target = float(named["perplexity"][0])
    near = pl.col("perplexity").is_between(target / reference.factor, target * reference.factor)
    used = bench.filter(near if flop == "all" else near & ~pl.col("flop_is_derived"))
    points = used.select(
        "system", "year", "perplexity", "train_flop", level=pl.lit(reference.name), flop=pl.lit(flop)
    )
    year = used["year"].to_numpy()
    if used.height < LEAST_SYSTEMS or np.unique(year).size < 2:
        return without(
            f"{used.height} systems, needs {LEAST_SYSTEMS} of different dates", used.height
        ), points
    rate = _falling(year, np.log(used["train_flop"].to_numpy()), np.zeros(used.height, dtype=np.int64), level)
    found = IsoPerformance(
        level=reference.name,
        flop=flop,
        rate=rate,
        n=used.height,
        published_months=reference.published_months,
    )
    return found, points


def _falling(year: FloatArray, y: FloatArray, group: NDArray[np.int64], level: float) -> Estimate:
    """Return minus the slope of y on year, each group with its own constant, by Student's t."""
    groups = int(group.max()) + 1
    size = np.bincount(group, minlength=groups)
    t = year - (np.bincount(group, year, groups) / size)[group]
    gap = y - (np.bincount(group, y, groups) / size)[group]
    spread = float(t @ t)
    slope = float(t @ gap) / spread
    df = y.size - groups - 1
    if df < 1:
        return Estimate(value=-slope, unit="ln/yr")
    residual = gap - slope * t
    half = student_quantile((1 + level) / 2, df) * float(np.sqrt(residual @ residual / df / spread))
    return Estimate(value=-slope, low=-slope - half, high=-slope + half, level=level, unit="ln/yr")


def _savings(
    table: Table | None, level: float
) -> tuple[tuple[IsoPerformance, ...], list[pl.DataFrame], tuple[Provenance, ...]]:
    """Return the slope of each target and of all together."""
    import polars as pl

    if table is None:
        return (), [], ()
    for name in ("target", "system", "year", "train_flop"):
        if name not in table.frame.columns:
            raise EvidenceError(
                f"match: column {name!r} not in {table.name}, needs a savings table. Load it as one."
            )
    frame = table.frame.drop_nulls(["target", "year", "train_flop"]).sort("target", "year", "system")
    targets = sorted(set(frame["target"]))
    number = {name: i for i, name in enumerate(targets)}
    group = np.array([number[name] for name in frame["target"]], dtype=np.int64)
    year, log_flop = frame["year"].to_numpy(), np.log(frame["train_flop"].to_numpy())
    found = []
    for name in targets:
        rows = group == number[name]
        if np.unique(year[rows]).size < 2:
            continue
        rate = _falling(year[rows], log_flop[rows], np.zeros(int(rows.sum()), dtype=np.int64), level)
        why = "" if rate.low is not None else "two systems give no interval"
        found.append(IsoPerformance(level=name, flop="given", rate=rate, n=int(rows.sum()), why_not=why))
    if found:
        rate = _falling(year, log_flop, group, level)
        found.append(IsoPerformance(level="all targets", flop="given", rate=rate, n=frame.height))
    points = frame.select(
        "system",
        "year",
        perplexity=pl.lit(None, dtype=pl.Float64()),
        train_flop="train_flop",
        level="target",
        flop=pl.lit("given"),
    )
    return tuple(found), [points], (table.provenance(frame.height),)


def _stacked(parts: list[pl.DataFrame]) -> pl.DataFrame:
    import polars as pl

    schema = {
        "system": pl.String(),
        "year": pl.Float64(),
        "perplexity": pl.Float64(),
        "train_flop": pl.Float64(),
    }
    return (
        pl.concat(parts)
        if parts
        else pl.DataFrame(schema=schema | {"level": pl.String(), "flop": pl.String()})
    )


def _doubts(slopes: list[IsoPerformance], pairs: int) -> tuple[str, ...]:
    notes = []
    small = [f"{one.level} ({one.flop}) {one.n}" for one in slopes if one.n < 10]
    if small:
        notes.append(f"Fewer than 10 systems at a level: {', '.join(small)}. Read these slopes as anecdotes.")
    if any(one.flop == "all" and one.n for one in slopes):
        notes.append(
            "Slopes with all FLOP use 6ND where none is given: it counts unique tokens once, not epochs, "
            "and leaves out what a base model cost."
        )
    notes.append(
        "Systems at one level are those somebody reported: a later paper has little reason to report a "
        "costlier match, so the slopes lean towards progress."
    )
    if pairs == 0:
        notes.append("No pair of systems is ordered in both loss and compute.")
    return tuple(notes)
