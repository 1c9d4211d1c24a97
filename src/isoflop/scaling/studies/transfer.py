"""How many times less of a resource does a pre-trained model need for the same error?

Both series follow one power law of the error, the pre-trained one as if it had `ratio` times as much
of the resource: ``e(x) = A x^-alpha`` from scratch, ``A (ratio x)^-alpha`` pre-trained. The interval
is that of the likelihood ratio, level and alpha profiled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate, Finding, Provenance
from isoflop.present import formats
from isoflop.present.notebook import result_html
from isoflop.scaling.studies.likelihood import Array, Counts, alpha_grid, log_likelihood
from isoflop.scaling.studies.sample import StudySample

if TYPE_CHECKING:
    import polars as pl

SPAN, SHIFTS = np.log(1e4), 401
"""Ratios from 1/10,000 to 10,000 are tried, each a factor of 1.047 from the next."""
_SAME_SLOPE_P = 0.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transfer:
    """Ratio of resources at equal error.

    Parameters
    ----------
    scratch, pretrained : StudySample
        One study each.
    log_ratio, log_likelihood : array, shape (R,)
        The profile.
    alpha : float
        Common exponent at the best ratio.
    equal_slopes_p : float
        P value of the likelihood-ratio test that both series have one exponent.
    level : float
    """

    scratch: StudySample
    pretrained: StudySample
    log_ratio: Array
    log_likelihood: Array
    alpha: float
    equal_slopes_p: float
    level: float

    @property
    def ratio(self) -> Estimate:
        """Resource from scratch over resource pre-trained, at equal error; above 1 pre-training pays."""
        from isoflop.stats.intervals import chi2_quantile

        top = self.log_likelihood.max()
        inside = np.flatnonzero(self.log_likelihood >= top - chi2_quantile(self.level, 1) / 2)
        low, high = inside[0], inside[-1]
        open_low, open_high = low == 0, high == self.log_ratio.size - 1
        if open_low and open_high:
            return Estimate(value=None, level=self.level, unit="×", interval="open_above")
        kind = "open_below" if open_low else "open_above" if open_high else "closed"
        return Estimate(
            value=float(np.exp(self.log_ratio[self.log_likelihood.argmax()])),
            low=None if open_low else float(np.exp(self.log_ratio[low])),
            high=None if open_high else float(np.exp(self.log_ratio[high])),
            level=self.level,
            unit="×",
            interval=kind,  # type: ignore[arg-type]
        )

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the ratio."""
        said = []
        if self.equal_slopes_p < _SAME_SLOPE_P:
            said.append(
                f"the two series do not share an exponent (p = {self.equal_slopes_p:.2g}): the ratio changes "
                "with scale, and this is its mean over the ranges seen. More scales would show how."
            )
        if self.ratio.interval != "closed":
            said.append(
                "the trials do not bound the ratio on every side, as where errors hardly move. "
                "More trials cure it."
            )
        return (*said, *dict.fromkeys((*self.scratch.notes, *self.pretrained.notes)))

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind both series."""
        return tuple(dict.fromkeys((*self.scratch.provenance, *self.pretrained.provenance)))

    def frame(self) -> pl.DataFrame:
        """Return the profile: ratio, log_likelihood."""
        import polars as pl

        return pl.DataFrame({"ratio": np.exp(self.log_ratio), "log_likelihood": self.log_likelihood})

    def to_dict(self) -> dict[str, Any]:
        """Return the ratio and its tests, JSON-ready."""
        e = self.ratio
        return {
            "ratio": {"value": e.value, "low": e.low, "high": e.high, "interval": e.interval},
            "exponent": -self.alpha,
            "equal_slopes_p": self.equal_slopes_p,
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return one line."""
        return f"resource from scratch over pre-trained at equal error: {formats.estimate(self.ratio)}"

    def findings(self) -> tuple[Finding, ...]:
        """Return the ratio."""
        return (
            Finding(
                id="scaling.transfer_ratio",
                instrument="scaling",
                label="resource from scratch over resource pre-trained, at equal error",
                estimate=self.ratio,
                method="one power law of the error shifted in ln x; binomial likelihood ratio",
                n=self.scratch.n_points + self.pretrained.n_points,
                evidence=self.provenance,
                cautions=self.cautions,
                details={"exponent": -self.alpha, "equal_slopes_p": self.equal_slopes_p},
            ),
        )

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def transfer(scratch: StudySample, pretrained: StudySample, *, level: float = 0.95) -> Transfer:
    """Return how many times more of the resource training from scratch needs for the same error.

    Parameters
    ----------
    scratch, pretrained : StudySample
        One study each, of the same resource, unit and metric; see `select_studies`.
    level : float, in (0, 1)

    Raises
    ------
    EvidenceError
        More than one study, or different resources, units or metrics.
    """
    from scipy.special import chdtrc

    for name, sample in (("scratch", scratch), ("pretrained", pretrained)):
        if sample.n != 1:
            raise EvidenceError(f"transfer: {name} holds {sample.n} studies, needs 1. Select one study.")
    for column in ("resource", "x_unit", "metric"):
        one, two = scratch.facts[column][0], pretrained.facts[column][0]
        if one != two:
            raise EvidenceError(
                f"transfer: {column} {one!r} and {two!r}, needs the same in both. Convert one, or choose "
                "others."
            )
    grid, shifts = alpha_grid(step=0.05), np.linspace(-SPAN, SPAN, SHIFTS)
    both = _stacked(scratch.counts, pretrained.counts, shifts)
    curves, _ = log_likelihood(both, grid)
    profile = curves.max(axis=1)
    best = curves[profile.argmax()]
    apart = sum(log_likelihood(s.counts, grid)[0].max() for s in (scratch, pretrained))
    drop = max(2.0 * float(apart - profile.max()), 0.0)
    return Transfer(
        scratch=scratch,
        pretrained=pretrained,
        log_ratio=shifts,
        log_likelihood=profile,
        alpha=float(grid[best.argmax()]),
        equal_slopes_p=float(chdtrc(1, drop)),
        level=level,
    )


def _stacked(scratch: Counts, pretrained: Counts, shifts: Array) -> Counts:
    """Return one row for each shift: both series as one, the pre-trained one moved along ln x."""
    count = shifts.size

    def joined(first: Array, second: Array) -> Array:
        return np.concatenate([np.repeat(first, count, axis=0), np.repeat(second, count, axis=0)], axis=1)

    log_x = joined(scratch.log_x, pretrained.log_x)
    log_x[:, scratch.log_x.shape[1] :] += shifts[:, None]
    return Counts(
        log_x=log_x,
        errors=joined(scratch.errors, pretrained.errors),
        trials=joined(scratch.trials, pretrained.trials),
    )
