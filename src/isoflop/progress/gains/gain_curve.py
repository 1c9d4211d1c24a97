"""The gain over a grid of compute: values, bands, both basins, what is missing and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from isoflop.findings import Estimate, Finding, Provenance, equal_probability_quantiles, json_ready
from isoflop.present.formats import number
from isoflop.present.notebook import result_html
from isoflop.progress.gains.recipe import EXISTS, REASONS, Codes, Sizing
from isoflop.progress.result import ProgressFit
from isoflop.stats.exp_sum import Array

if TYPE_CHECKING:
    import polars as pl

Class = Literal["transformer", "other"]
HUGE = 1e6
"""Stands for a gain beyond every number among draws: ordered last, shown as an open end."""
CLASS_WORDS: dict[Class, str] = {"transformer": "transformers", "other": "other systems"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BasinGain:
    """The curve of one minimum of the full sample, with the band of the draws in its basin.

    Parameters
    ----------
    log_gain, low, high : arrays, shape (m,)
        Natural logarithms; NaN where missing.
    share_of_draws : float or None
    """

    log_gain: Array
    low: Array
    high: Array
    share_of_draws: float | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class GainCurve:
    """Gain over a grid of compute, with its band; arrays of shape (m,) belong to `train_flop`.

    Parameters
    ----------
    train_flop : array, FLOP
        C, what the newer recipe spends.
    log_gain, low, high : arrays
        ln(C'/C) at the best minimum and its band; NaN where missing, ±inf for an open end.
    codes : int array
        Why a value is missing: keys of `recipe.REASONS`.
    missing_draws : array
        Share of draws without a gain at that C. Draws whose older recipe cannot get there count as
        an unbounded gain in the band; the others are left out of it.
    decades_beyond : array
        Decades of C outside the compute of the sample, 0 inside.
    basins : tuple of BasinGain
        One per minimum, best first.
    classes : tuple of str
        Class of the older and of the newer recipe.
    """

    fit: ProgressFit
    train_flop: Array
    log_gain: Array
    low: Array
    high: Array
    codes: Codes
    missing_draws: Array
    decades_beyond: Array
    basins: tuple[BasinGain, ...]
    draws: Array | None
    from_year: float
    to_year: float
    sizing: Sizing
    benchmark: str
    classes: tuple[Class, Class]

    @property
    def gain(self) -> Array:
        """C'/C, shape (m,); NaN where missing."""
        return _exp(self.log_gain)

    @property
    def is_scale_free(self) -> bool:
        """Whether the law itself makes the gain the same at every C."""
        law = self.fit.model.law
        return (
            self.sizing.constraint == "compute_optimal"
            and law.rates_are_constant
            and not (law.by_class and self.classes[0] != self.classes[1])
        ) or law.second is None

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the curve."""
        return self.fit.provenance

    @property
    def method(self) -> str:
        """One line: question, constraint, band, fit."""
        return f"{self.question}, {self.sizing.text}, on {self.benchmark}; {self.fit.method}"

    @property
    def question(self) -> str:
        """Which recipes are compared."""
        older, newer = self.classes
        said = f"{self.from_year:g} to {self.to_year:g}"
        return (
            said
            if older == newer
            else f"{CLASS_WORDS[older]} of {self.from_year:g} to {CLASS_WORDS[newer]} of {self.to_year:g}"
        )

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the curve, then what limits the fit."""
        return (*_cautions(self), *self.fit.cautions)

    def estimate(self, at: int) -> Estimate:
        """Return the gain at one point of the grid."""
        if self.codes[at] != EXISTS:
            return Estimate(value=None, unit="×")
        value, low, high = (float(_exp(x[at])) for x in (self.log_gain, self.low, self.high))
        if self.draws is None or self.fit.ci is None:
            return Estimate(value=value, unit="×")
        kind: Literal["closed", "open_above"] = "open_above" if np.isinf(high) else "closed"
        return Estimate(value=value, low=low, high=high, level=self.fit.ci.level, unit="×", interval=kind)

    def frame(self) -> pl.DataFrame:
        """Return one row per C and minimum; minimum 1 carries the band of all draws.

        Columns: train_flop, minimum, gain, low, high, equivalent_flop (C'), reason (why missing),
        missing_draws, beyond_data, decades_beyond.
        """
        import polars as pl

        blocks = [(1, self.log_gain, self.low, self.high)]
        blocks += [(k, b.log_gain, b.low, b.high) for k, b in enumerate(self.basins[1:], start=2)]
        frames = []
        for k, value, low, high in blocks:
            gain, reasons = _exp(value), [REASONS[int(c)] or None for c in self.codes]
            if k > 1:
                reasons = [None if np.isfinite(v) else "no gain at this minimum" for v in value]
            frames.append(
                pl.DataFrame(
                    {
                        "train_flop": self.train_flop,
                        "minimum": np.full(len(gain), k),
                        "gain": _finite(gain),
                        "low": _finite(_exp(low)),
                        "high": _finite(_exp(high)),
                        "equivalent_flop": _finite(gain * self.train_flop),
                        "reason": pl.Series(reasons, dtype=pl.String),
                        "missing_draws": self.missing_draws if k == 1 else np.full(len(gain), np.nan),
                        "beyond_data": self.decades_beyond > 0,
                        "decades_beyond": self.decades_beyond,
                    }
                ).with_columns(pl.col(pl.Float64).fill_nan(None))
            )
        return pl.concat(frames)

    def findings(self) -> tuple[Finding, ...]:
        """Return the gain at the largest C inside the data, and at both ends of the grid."""
        order = np.argsort(self.train_flop)
        inside = [i for i in order if self.decades_beyond[i] == 0]
        headline = inside[-1] if inside else order[len(order) // 2]
        points = {"progress.gain": headline}
        for i in (order[0], order[-1]):
            if i != headline:
                points[f"progress.gain.{_flop_label(float(self.train_flop[i]))}"] = i
        return tuple(self._finding(name, int(i)) for name, i in points.items())

    def _finding(self, name: str, at: int) -> Finding:
        flop = float(self.train_flop[at])
        details: dict[str, Any] = {
            "at_flop": flop,
            "from_year": self.from_year,
            "to_year": self.to_year,
            "classes": self.classes,
            "constraint": self.sizing.constraint,
            "ratio": self.sizing.ratio,
            "data": self.sizing.data,
            "benchmark": self.benchmark,
            "scale_free": self.is_scale_free,
            "decades_beyond_data": float(self.decades_beyond[at]),
            "missing": REASONS[int(self.codes[at])] or None,
            "missing_draws": float(self.missing_draws[at]),
            "by_basin": [
                {
                    "minimum": k + 1,
                    "gain": float(_exp(b.log_gain[at])),
                    "low": float(_exp(b.low[at])),
                    "high": float(_exp(b.high[at])),
                    "share_of_draws": b.share_of_draws,
                }
                for k, b in enumerate(self.basins)
            ],
        }
        if self.draws is not None:
            column = self.draws[:, at]
            details["draws"] = equal_probability_quantiles(_exp(column[np.isfinite(column)]))
        return Finding(
            id=name,
            instrument="progress",
            label=f"compute saved from {self.question} at {number(flop, 2)} FLOP",
            estimate=self.estimate(at),
            method=self.method,
            n=self.fit.sample.n,
            evidence=self.provenance,
            seed=self.fit.seed,
            cautions=self.cautions,
            details=json_ready(details),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return findings and the curve, JSON-ready."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "curve": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return the gain at a few scales, and the cautions."""
        from isoflop.present import formats

        lines = [f"gain in compute, {self.method}"]
        for i in np.unique(np.linspace(0, len(self.train_flop) - 1, 6).astype(int)):
            text = REASONS[int(self.codes[i])] or formats.estimate(self.estimate(int(i)))
            beyond = self.decades_beyond[i]
            where = f" ({beyond:.1f} decades beyond the data)" if beyond else ""
            lines.append(f"  {number(self.train_flop[i], 2)} FLOP{where}: {text}")
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def band(draws: Array, level: float) -> tuple[Array, Array]:
    """Return the central interval of each column of draws (R, m); failed draws (NaN) are left out.

    An end among infinite draws is ±inf; a column with fewer than two draws gives NaN.
    """
    ordered = np.clip(draws, -HUGE, HUGE)
    usable = (~np.isnan(ordered)).sum(axis=0) >= 2
    ends = np.full((2, draws.shape[1]), np.nan)
    if usable.any():
        ends[:, usable] = np.nanquantile(ordered[:, usable], [(1 - level) / 2, (1 + level) / 2], axis=0)
    # an end interpolated between a finite draw and the stand-in is beyond every number as well
    ends = np.where(np.abs(ends) > 1e-3 * HUGE, np.copysign(np.inf, ends), ends)
    return ends[0], ends[1]


def _exp(log_gain: Array) -> Array:
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(log_gain))


def _finite(array: Array) -> Array:
    return np.where(np.isfinite(array), array, np.nan)


def _flop_label(flop: float) -> str:
    return f"flop_{flop:.0e}".replace("+", "")


def _cautions(curve: GainCurve) -> list[str]:
    said, law, years = [], curve.fit.model.law, curve.fit.sample.features.year
    if curve.is_scale_free:
        said.append(
            f"law {law.number} cannot say anything about scale-dependence: that the gain is the same at "
            "every compute is its assumption. Laws 14 and 15 and other constraints let it move."
        )
    if (curve.decades_beyond > 0).any():
        said.append(
            f"the grid reaches {curve.decades_beyond.max():.1f} decades of compute beyond the data: "
            "that part is extrapolated (beyond_data)."
        )
    outside = [y for y in (curve.from_year, curve.to_year) if not years.min() <= y <= years.max()]
    if outside:
        said.append(
            f"{' and '.join(f'{y:g}' for y in outside)} lies outside the dates of the sample "
            f"({years.min():.1f} to {years.max():.1f}): the trend is continued."
        )
    if (curve.codes != EXISTS).any():
        reasons = sorted({REASONS[int(c)] for c in curve.codes if c != EXISTS})
        said.append(
            f"{int((curve.codes != EXISTS).sum())} of {len(curve.codes)} points are missing: "
            f"{'; '.join(reasons)}."
        )
    if curve.missing_draws.max(initial=0.0) > 0:
        said.append(
            f"up to {curve.missing_draws.max():.1%} of the draws have no gain at some compute; "
            "unreachable losses count as an open end, failed refits are left out."
        )
    if curve.fit.sample.task != "language":
        said.append("for images compute stands for parameters times images: only ratios mean something.")
    return said
