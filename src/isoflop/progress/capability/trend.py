"""How fast does the compute needed for a given capability fall, on an index of many benchmarks?

The index C of model m is split as C_m = k·log10(FLOP_m) + h_m: compute buys k index points per
factor of ten, and h is what the recipe adds. With h rising by ḣ a year, the same capability needs
10^(−ḣ/k) of the compute a year later: a yearly multiple of 10^(ḣ/k), a halving time of
12·log10(2)·k/ḣ months. Everything hinges on k, so three estimates of it stand side by side:

common  least squares of C on log10 FLOP over all models
family  within families that differ in size only, each with a constant of its own
joint   C = c + k·log10 FLOP + g·year, ḣ = g
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.progress.capability.trend_fit import (
    FloatArray,
    Models,
    frontier,
    frontier_gain_per_year,
    gain_per_year,
    joint_slopes,
    ols_slope,
    within_family_slope,
)
from isoflop.progress.capability.trend_result import (
    REFERENCE_FLOP,
    CapabilityTrend,
    MethodTrend,
    Slope,
    method_trend,
)
from isoflop.progress.halving import LARGEST_RATE
from isoflop.stats.resample import Bootstrap, jackknife_weights
from isoflop.units import fractional_year

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.table import Table

__all__ = ["CapabilityTrend", "MethodTrend", "family_of", "trend"]

LEAST_MODELS = 10
FAMILY_SIZE = 3
"""Models of different compute that a family needs to inform k, as in the published analysis."""
FAMILY_DAYS = 183
"""Releases further apart than this are not one recipe at several sizes."""
DATE_SPREAD_DAYS = 180
"""Release dates of one model's versions that differ by more than this are noted."""
CONFOUNDED = 0.3
"""Correlation of compute and date above which k is noted to depend on how time enters."""

UNSTEADY = 1.0986
"""Difference of the halves' rates (ln/yr) that is noted: a factor of three a year."""

_UNITS = ("model", "organization", "family")
_NEEDED = ("model", "capability_index", "release_date", "train_flop")
_SIZE = re.compile(r"\(?\b(?:moe-)?\d+(?:\.\d+)?(?:x\d+)?\s?[bm]\b\)?", re.IGNORECASE)
_SIZE_WORDS = re.compile(r"\b(?:mini|nano|small|medium|large|xl|scout|maverick)\b", re.IGNORECASE)
_NOTES = re.compile(r"\([^)]*\)")


def trend(
    capabilities: Table | Any,
    *,
    slope: Slope = "common",
    ci: Bootstrap | None = Bootstrap(by="model"),  # noqa: B008 - frozen
) -> CapabilityTrend:
    """Estimate the yearly multiple of effective compute from a capability index.

    Parameters
    ----------
    capabilities : Table
        Schema ``capabilities``: model, capability_index, release_date, train_flop (FLOP); model_name groups
        versions of one model; family, organization, confidence, is_distilled are used if given.
    slope : {"common", "family", "joint"}
        Which k the headline uses. All three are reported.
    ci : Bootstrap or None
        Draws of the pair (ḣ, k); ``by="model"``, ``"organization"`` or ``"family"``.

    Returns
    -------
    CapabilityTrend

    Raises
    ------
    EvidenceError
        A column is missing, or fewer than ten models have index, date and FLOP, or these do not vary.
    SettingError
        A setting is unknown, or ``slope="family"`` and no family has enough models.

    Notes
    -----
    Versions of one model share index and compute; they count once, at their lower median date. The
    index itself is taken as exact. Source: the capability-trend analysis of Epoch AI's benchmark-stitching;
    we differ in counting models once, in the pooled within-family k, and in resampling (ḣ, k) together.
    """
    from isoflop.evidence.load import accept

    if slope not in get_args(Slope):
        near = closest(str(slope), get_args(Slope))
        hint = f"Did you mean {near!r}?" if near else "Use 'common'."
        raise SettingError(f"trend: slope={slope!r}, must be one of {', '.join(get_args(Slope))}. {hint}")
    if ci is not None and ci.by not in _UNITS:
        raise SettingError(f"trend: ci.by={ci.by!r}, must be one of {', '.join(_UNITS)}. Use 'model'.")
    capabilities = accept(capabilities, "capabilities")
    rows, frame, notes = _models(capabilities)
    models = Models(
        y=frame["capability_index"].to_numpy().astype(np.float64),
        x=np.log10(frame["train_flop"].to_numpy().astype(np.float64)),
        t=frame["year"].to_numpy().astype(np.float64),
        family=_family_numbers(frame),
    )
    if slope == "family" and models.family.max(initial=-1) < 0:
        raise SettingError(
            f"trend: slope='family', but no family has {FAMILY_SIZE} models of different compute within "
            f"{FAMILY_DAYS} days. Give a family column, or use 'common'."
        )
    n = frame.height
    weights = np.full((1, n), 1.0 / n)
    left_out = None
    if ci is not None:
        codes = _codes(frame, ci.by)
        weights = np.concatenate([weights, ci.weights(n, codes)])
        left_out = jackknife_weights(n, codes) if ci.kind == "bca" else None
    pairs = _pairs(models, weights, slope)
    aside = _pairs(models, left_out, slope) if left_out is not None else {}
    k_point = pairs[slope][0][:1]
    is_frontier = frontier(models, k_point, weights[:1])[0]
    methods = tuple(
        method_trend(
            name,
            *pair,
            ci=ci,
            jackknife=aside.get(name),
            n=int(n if name != "frontier" else is_frontier.sum()),
        )
        for name, pair in pairs.items()
    )
    halves = np.stack([models.t <= np.median(models.t), models.t > np.median(models.t)]).astype(np.float64)
    k_half, gain_half = _pairs(models, halves / np.maximum(halves.sum(axis=1, keepdims=True), 1.0), slope)[
        slope
    ]
    with np.errstate(divide="ignore", invalid="ignore"):
        rate_half = np.log(10.0) * np.where(k_half > 0, gain_half / k_half, np.nan)
    correlation = float(np.corrcoef(models.x, models.t)[0, 1])
    result = CapabilityTrend(
        slope=slope,
        methods=methods,
        models=frame.with_columns(
            index_at_equal_flop=models.y - k_point * (models.x - np.log10(REFERENCE_FLOP)),
            is_frontier=is_frontier,
            informs_family_k=models.family >= 0,
        ),
        families=_family_table(frame, models),
        correlation=correlation,
        rate_by_half=(float(rate_half[0]), float(rate_half[1])),
        n_rows=rows,
        ci=ci,
        cautions=(),
        provenance=(capabilities.provenance(rows),),
    )
    return result.with_cautions((*capabilities.cautions, *notes, *_doubts(result, frame)))


def family_of(name: str) -> str:
    """Return a model's name without its size: what models of one recipe share.

    Examples
    --------
    >>> family_of("Llama 2-70B"), family_of("Qwen2.5-Coder (32B)"), family_of("phi-3-mini 3.8B")
    ('llama2', 'qwen2.5coder', 'phi3')
    """
    bare = _SIZE_WORDS.sub("", _NOTES.sub("", _SIZE.sub("", name)))
    return re.sub(r"[\s\-_]+", "", bare).lower() or name.lower()


def _models(table: Table) -> tuple[int, pl.DataFrame, tuple[str, ...]]:
    """Return rows with index and FLOP, one row per dated model, and what was noticed."""
    import polars as pl

    frame = table.frame
    for name in _NEEDED:
        if name not in frame.columns:
            near = closest(name, frame.columns)
            hint = f"closest is {near!r}" if near else f"it has {', '.join(frame.columns)}"
            raise EvidenceError(f"trend: column {name!r} not in {table.name}; {hint}. Map it when loading.")
    for name in ("model_name", "family", "organization", "confidence"):
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, dtype=pl.String()).alias(name))
    if "is_distilled" not in frame.columns:
        frame = frame.with_columns(pl.lit(None, dtype=pl.Boolean()).alias("is_distilled"))
    both = frame.drop_nulls(["capability_index", "train_flop"]).with_columns(
        name=pl.coalesce("model_name", "model")
    )
    first = [pl.col(c).drop_nulls().first() for c in ("organization", "confidence", "family", "is_distilled")]
    grouped = both.group_by("name").agg(
        pl.col("capability_index").mean(),
        pl.col("train_flop").log10().mean().alias("log10_flop"),
        pl.col("release_date").drop_nulls().sort().alias("dates"),
        pl.col("capability_index").n_unique().alias("index_values"),
        pl.len().alias("n_versions"),
        *first,
    )
    dated = (
        grouped.filter(pl.col("dates").list.len() > 0)
        .with_columns(
            release_date=pl.col("dates").list.get((pl.col("dates").list.len() - 1) // 2),
            spread_days=(pl.col("dates").list.last() - pl.col("dates").list.first()).dt.total_days(),
            train_flop=10.0 ** pl.col("log10_flop"),
        )
        .sort("release_date", "name")
    )
    if dated.height < LEAST_MODELS:
        raise EvidenceError(
            f"trend: {dated.height} models with index, date and train_flop, needs at least {LEAST_MODELS}. "
            f"{frame['train_flop'].null_count()} of {frame.height} rows have no train_flop; add some."
        )
    for name, what in (("capability_index", "index"), ("log10_flop", "train_flop"), ("release_date", "date")):
        if dated[name].n_unique() < 2:
            raise EvidenceError(f"trend: every model has the same {what}, needs different ones. Add models.")
    years = [fractional_year(day) for day in dated["release_date"]]
    dated = dated.with_columns(
        pl.Series("year", years),
        family=pl.coalesce("family", pl.Series([family_of(name) for name in dated["name"]])),
    )
    notes = []
    if both.height > dated.height:
        notes.append(
            f"{both.height} rows are versions of {grouped.height} models; each model counts once, so the "
            f"interval rests on {dated.height} models, not on {both.height} rows."
        )
    if grouped.height > dated.height:
        notes.append(f"{grouped.height - dated.height} models without a release date are left out.")
    wide = dated.filter(pl.col("spread_days") > DATE_SPREAD_DAYS)
    if wide.height:
        notes.append(
            f"Versions of {', '.join(wide['name'])} are dated more than {DATE_SPREAD_DAYS} days apart: "
            "a date may be mistyped. The middle one counts."
        )
    mixed = dated.filter(pl.col("index_values") > 1).height
    if mixed:
        notes.append(f"{mixed} models have versions of different index; their mean counts.")
    rows = int(both.join(dated.select("name"), on="name", how="semi").height)
    columns = ("name", "release_date", "year", "capability_index", "train_flop", "family", "organization")
    return rows, dated.select(*columns, "confidence", "is_distilled", "n_versions"), tuple(notes)


def _family_numbers(frame: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return a number for each model of a usable family, −1 for the others."""
    import polars as pl

    usable = (
        frame.group_by("family")
        .agg(
            pl.col("train_flop").n_unique().alias("sizes"),
            (pl.col("release_date").max() - pl.col("release_date").min()).dt.total_days().alias("days"),
        )
        .filter((pl.col("sizes") >= FAMILY_SIZE) & (pl.col("days") <= FAMILY_DAYS))
        .sort("family")["family"]
    )
    number = {name: i for i, name in enumerate(usable)}
    return np.array([number.get(name, -1) for name in frame["family"]], dtype=np.int64)


def _family_table(frame: pl.DataFrame, models: Models) -> pl.DataFrame:
    """Return each usable family with its own slope."""
    import polars as pl

    rows = []
    for number in range(int(models.family.max(initial=-1)) + 1):
        inside = np.flatnonzero(models.family == number)
        weights = np.full((1, inside.size), 1.0 / inside.size)
        own = float(ols_slope(models.x[inside], models.y[inside], weights)[0])
        first = frame.row(int(inside[0]), named=True)
        rows.append(
            {
                "family": first["family"],
                "points_per_decade": own,
                "n_models": int(inside.size),
                "first_release": first["release_date"],
                "decades_of_flop": float(np.ptp(models.x[inside])),
            }
        )
    schema = {
        "family": pl.String(),
        "points_per_decade": pl.Float64(),
        "n_models": pl.Int64(),
        "first_release": pl.Date(),
        "decades_of_flop": pl.Float64(),
    }
    return pl.DataFrame(rows, schema=schema)


def _codes(frame: pl.DataFrame, by: str) -> list[str]:
    import polars as pl

    if by == "model":
        return list(frame["name"])
    return list(frame.select(pl.coalesce(by, "name")).to_series())


def _pairs(models: Models, w: FloatArray, slope: Slope) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return (k, ḣ) of each method; the frontier uses the headline's k."""
    common = ols_slope(models.x, models.y, w)
    pairs = {"common": (common, gain_per_year(models, common, w))}
    if models.family.max(initial=-1) >= 0:
        within = within_family_slope(models, w)
        pairs["family"] = (within, gain_per_year(models, within, w))
    pairs["joint"] = joint_slopes(models, w)
    k = pairs[slope][0]
    pairs["frontier"] = (k, frontier_gain_per_year(models, k, w))
    return pairs


def _doubts(result: CapabilityTrend, frame: pl.DataFrame) -> tuple[str, ...]:
    notes = []
    values = {m.method: m.multiple.value for m in result.methods if m.multiple.value is not None}
    if len(values) > 1 and max(values.values()) > 1.5 * min(values.values()):
        low, high = min(values, key=lambda m: values[m]), max(values, key=lambda m: values[m])
        notes.append(
            f"The answer depends on how k is found: from {values[low]:.3g}× ({low}) to {values[high]:.3g}× "
            f"({high}) a year. Read the methods together."
        )
    early, late = result.rate_by_half
    if abs(early - late) > UNSTEADY:
        notes.append(
            f"The earlier half of the models gives {math.exp(min(early, LARGEST_RATE)):.3g}× a year, the "
            f"later half {math.exp(min(late, LARGEST_RATE)):.3g}×: no one rate fits the whole period."
        )
    if abs(result.correlation) > CONFOUNDED:
        notes.append(
            f"Compute and release date are correlated ({result.correlation:.2f}): k without the date takes "
            "part of the progress with it, k beside the date rests on what little they differ."
        )
    guessed = frame.filter(~frame["confidence"].fill_null("Confident").is_in(["Confident"])).height
    if guessed:
        notes.append(f"Training FLOP of {guessed} of {frame.height} models is marked less than confident.")
    distilled = int(frame["is_distilled"].fill_null(False).sum())
    if distilled:
        notes.append(f"{distilled} models are distilled; their own FLOP leave out the teacher's.")
    elif frame["is_distilled"].null_count() == frame.height:
        notes.append("Nothing says which models are distilled; their own FLOP leave out the teacher's.")
    if frame.height < 30:
        notes.append(f"{frame.height} models only. More would narrow the interval.")
    if result.ci is not None and result.ci.reps < 1000:
        notes.append(f"{result.ci.reps} draws only; 1,000 or more give steadier bounds.")
    notes.append(
        "The index is taken as exact: its own error, and what its benchmarks reward, are not in the interval."
    )
    return tuple(notes)
