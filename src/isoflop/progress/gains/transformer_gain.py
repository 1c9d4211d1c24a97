"""How much compute did the transformer save?

Law 7 with one common factor e^h on both terms for transformers. The gain is C'/C = s² where s solves

    yhat_transformer(N, D) = yhat_other(s·N, s·D),  year 2023,  base benchmark,  N = D = sqrt(C/6)

Ours leaves h free in sign and penalises |h| like every parameter. The published form is
e^h = sigmoid(g) with a penalty on |g|: it can show no loss, and its start g = 0 says that
transformers halve the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import EvidenceError, SettingError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.formats import number
from isoflop.present.notebook import result_html
from isoflop.progress.compat import FTOL, MAX_ITERATIONS
from isoflop.progress.fit import Compat, check_sample, fit
from isoflop.progress.gains.gain import gain
from isoflop.progress.gains.gain_curve import GainCurve, band
from isoflop.progress.model import Options, model
from isoflop.progress.rates import REFERENCE_YEAR
from isoflop.progress.result import Basin, Draws, ProgressFit
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1, Starts
from isoflop.stats.exp_sum import Array, ExpSumDesign
from isoflop.stats.optimise import gradient_and_hessian
from isoflop.stats.resample import Bootstrap, legacy_choices

if TYPE_CHECKING:
    import polars as pl

DEFAULT_TRAIN_FLOP = (1e22, 1e25)
PUBLISHED = {1e22: (6.64, 3.21, 28.2), 1e25: (7.16, 3.27, 45.7)}
"""Median and 95 % percentiles printed by Ho et al. (2024): 100 row resamples, law 7, penalty 0.0025."""
PUBLISHED_LOSS_CUT = (0.046, 0.030, 0.070)
PUBLISHED_OBJECTIVE = 0.058815
_SHIFT = "transformer_shift"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TransformerGain:
    """The gain at each compute, from a fit with a transformer shift.

    Parameters
    ----------
    fit : ProgressFit
        Its parameter ``transformer_shift`` is h; under ``compat="paper"`` ln sigmoid(g).
    curve : GainCurve
        Other systems to transformers at D/N = 1.
    """

    fit: ProgressFit
    curve: GainCurve

    @property
    def loss_cut(self) -> Estimate:
        """Share of the loss that the transformer takes off at equal size and date, 1 − e^h."""
        at = self.fit.model.index(_SHIFT)
        point = float(-np.expm1(self.fit.theta[at]))
        if self.fit.draws is None or self.fit.ci is None:
            return Estimate(value=point, unit="1")
        cuts = -np.expm1(self.fit.draws.theta[:, at])
        (low,), (high,) = band(cuts[:, None], self.fit.ci.level)
        value = float(np.nanmedian(cuts)) if self.fit.compat == "paper" else point
        return Estimate(value=value, low=low, high=high, level=self.fit.ci.level, unit="1")

    def estimate(self, at: int) -> Estimate:
        """Return the gain at one compute; under ``compat="paper"`` the median of the draws."""
        found = self.curve.estimate(at)
        if self.fit.compat != "paper" or self.curve.draws is None:
            return found
        middle = float(np.exp(np.nanmedian(self.curve.draws[:, at])))
        return Estimate(value=middle, low=found.low, high=found.high, level=found.level, unit="×")

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The evidence behind the gain."""
        return self.fit.provenance

    @property
    def cautions(self) -> tuple[str, ...]:
        """What limits the gain, then what limits the fit."""
        rows = self.fit.sample.features.is_transformer
        said = [
            "one factor stands for the class at every scale; transformers are also later and larger here, "
            "so the factor takes up whatever else came with them. Law 13 lets exponents differ."
        ]
        if min(rows.sum(), (~rows).sum()) < 15:
            said.append(f"{int(rows.sum())} transformers and {int((~rows).sum())} others: one class is thin.")
        if self.fit.compat == "paper":
            said.append(
                "sigmoid(g) < 1 cannot show that transformers lose, and its penalty pulls the factor "
                "to one half."
            )
        return (*said, *self.curve.cautions)

    def findings(self) -> tuple[Finding, ...]:
        """Return the gain at the largest compute, one variant per other compute, and the loss cut."""
        order = np.argsort(self.curve.train_flop)[::-1]
        found = []
        for rank, i in enumerate(order):
            flop = float(self.curve.train_flop[i])
            name = "progress.transformer_gain"
            name += "" if rank == 0 else f".flop_{flop:.0e}".replace("+", "")
            details: dict[str, Any] = {
                "at_flop": flop,
                "decades_beyond_data": float(self.curve.decades_beyond[i]),
                "published": _triple(PUBLISHED.get(flop)),
                "by_basin": [float(np.exp(b.log_gain[i])) for b in self.curve.basins],
            }
            if self.fit.compat == "paper":
                details["point"] = float(self.curve.gain[i])
                details["objective"] = self.fit.objective
            label = f"gain of the transformer at {number(flop, 2)} FLOP"
            found.append(self._finding(name, label, self.estimate(int(i)), details))
        cut = {"published": _triple(PUBLISHED_LOSS_CUT)}
        found.append(
            self._finding("progress.transformer_loss_cut", "loss cut by the transformer", self.loss_cut, cut)
        )
        return tuple(found)

    def _finding(self, name: str, label: str, estimate: Estimate, details: dict[str, Any]) -> Finding:
        return Finding(
            id=name,
            instrument="progress",
            label=label,
            estimate=estimate,
            method=f"transformer shift, N = D, {self.curve.to_year:g}; {self.fit.method}",
            n=self.fit.sample.n,
            evidence=self.provenance,
            seed=self.fit.seed,
            cautions=self.cautions,
            details=json_ready(details),
        )

    def frame(self) -> pl.DataFrame:
        """Return one row per compute: ours beside the published median and percentiles."""
        import polars as pl

        rows = []
        for i, flop in enumerate(self.curve.train_flop):
            ours, published = self.estimate(i), PUBLISHED.get(float(flop), (None, None, None))
            rows.append(
                {
                    "train_flop": float(flop),
                    "gain": ours.value,
                    "low": ours.low,
                    "high": ours.high,
                    "published": published[0],
                    "published_low": published[1],
                    "published_high": published[2],
                }
            )
        return pl.DataFrame(rows, schema=dict.fromkeys(rows[0], pl.Float64))

    def to_dict(self) -> dict[str, Any]:
        """Return findings and the table, JSON-ready."""
        return {
            "findings": [f.to_dict() for f in self.findings()],
            "gain": json_ready(self.frame().to_dicts()),
        }

    def summary(self) -> str:
        """Return the gains and the cautions."""
        from isoflop.present import formats

        lines = [f"transformer shift on law {self.fit.model.law.number}: {self.fit.method}"]
        lines += [f"  {f.label}: {formats.finding(f)}" for f in self.findings()]
        return "\n".join([*lines, *(f"  caution: {c}" for c in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def transformer_gain(
    sample: Sample,
    *,
    law: int = 7,
    penalty: L1 | None = None,
    starts: Starts | None = None,
    ci: Bootstrap | None = None,
    compat: Compat = "converged",
    train_flop: ArrayLike = DEFAULT_TRAIN_FLOP,
    year: float = REFERENCE_YEAR,
    progress: Callable[[str, float], None] | None = None,
) -> TransformerGain:
    """Fit a common factor for transformers and return how much compute it is worth.

    Parameters
    ----------
    sample : Sample
        With both classes.
    law : int
        Any law without exponents by class; 7 as published.
    penalty, starts, ci, progress
        As in `fit`.
    compat : {"converged", "paper"}
        "paper": sigmoid form, SLSQP from zero, row resamples of the legacy generator, medians.
    train_flop : float or array, shape (m,)
        C of the transformer, FLOP.
    year : float

    Raises
    ------
    EvidenceError
        Only one class in the sample.
    SettingError
        The law has exponents by class, which a shift would double.

    Notes
    -----
    Source: Ho et al. (2024), section on the transformer; we differ in the sign of h and in the
    certified optimum.
    """
    penalty, options = penalty or L1(), Options(transformer_shift=True)
    chosen = model(law, benchmarks=sample.benchmarks, normalisers=sample.normalisers, options=options)
    if chosen.law.by_class:
        raise SettingError(
            f"transformer_gain: law {law} has its own exponents by class. Use gain with classes, or law 7."
        )
    if np.unique(sample.features.is_transformer).size < 2:
        raise EvidenceError(
            "transformer_gain: the sample holds one class only, needs transformers and others. "
            "Fill is_transformer, or add rows of the other class."
        )
    if compat == "paper":
        fitted = _paper(sample, law, penalty, ci, progress)
    else:
        fitted = fit(
            sample, law=law, penalty=penalty, starts=starts, options=options, ci=ci, progress=progress
        )
    curve = gain(
        fitted,
        from_year=year,
        to_year=year,
        train_flop=train_flop,
        constraint="fixed_ratio",
        ratio=1.0,
        classes=("other", "transformer"),
    )
    return TransformerGain(fit=fitted, curve=curve)


def _paper(
    sample: Sample,
    law: int,
    penalty: L1,
    ci: Bootstrap | None,
    progress: Callable[[str, float], None] | None,
) -> ProgressFit:
    if penalty.mask is not None or penalty.normalisers != "sample":
        raise SettingError(
            "transformer_gain: compat='paper' penalises every parameter against the sample's minima. "
            "Drop mask and normalisers."
        )
    benchmarks, base = sample.benchmarks, sample.normalisers
    bare = model(law, benchmarks=benchmarks, normalisers=base)
    shifted = model(law, benchmarks=benchmarks, normalisers=base, options=Options(transformer_shift=True))
    check_sample(sample, bare)
    design, is_transformer, y = bare.design(sample.features), sample.features.is_transformer, sample.outcome
    at = shifted.index(_SHIFT)
    theta, objective = _sigmoid_fit(design, is_transformer, y, penalty.delta)
    point = np.insert(theta[:-1], at, _log_sigmoid(theta[-1]))
    kkt = _sigmoid_kkt(shifted.design(sample.features), y, point, at, float(theta[-1]), penalty.delta)
    draws = None
    if ci is not None:
        refits, objectives = [], []
        for i, rows in enumerate(legacy_choices(sample.n, ci.reps, ci.seed)):
            one, reached = _sigmoid_fit(design.rows(rows), is_transformer[rows], y[rows], penalty.delta)
            refits.append(np.insert(one[:-1], at, _log_sigmoid(one[-1])))
            objectives.append(reached)
            if progress is not None:
                progress("bootstrap as published", (i + 1) / ci.reps)
        stacked = np.array(refits)
        draws = Draws(
            theta=stacked,
            basin=np.zeros(ci.reps, np.int64),
            by_basin=stacked[None],
            objective=np.array(objectives),
        )
    return ProgressFit(
        sample=sample,
        model=shifted,
        penalty=penalty,
        minima=(
            Basin(
                theta=point,
                objective=objective,
                kkt=kkt,
                share_of_starts=1.0,
                from_zero=True,
            ),
        ),
        draws=draws,
        jackknife=None,
        ci=ci,
        compat="paper",
        seed=0 if ci is None else ci.seed,
        starts=1,
    )


def _sigmoid_fit(
    design: ExpSumDesign, is_transformer: NDArray[np.bool_], y: Array, delta: float
) -> tuple[Array, float]:
    """Return (theta, g) and the objective where SLSQP stops from zero."""
    from scipy.optimize import minimize

    terms = [
        [(j, np.ascontiguousarray(x[:, j])) for j in range(design.p) if np.any(x[:, j])] for x in design.terms
    ]
    outside = design.linear

    def objective(point: Array) -> float:
        # Column by column and the factor on each term: SLSQP stops early, and a rounding error
        # decides where. This order comes nearest to the published percentiles.
        factor = np.where(is_transformer, 1.0 / (1.0 + np.exp(-point[-1])), 1.0)
        predicted = np.zeros(len(y))
        for columns in terms:
            predicted = predicted + np.exp(sum(point[j] * column for j, column in columns)) * factor
        if outside is not None:
            predicted = predicted + outside @ point[:-1]
        return float(np.mean((y - predicted) ** 2) + delta * np.sum(np.abs(point)))

    with np.errstate(over="ignore", invalid="ignore"):
        found = minimize(
            objective,
            np.zeros(design.p + 1),
            method="SLSQP",
            options={"ftol": FTOL, "maxiter": MAX_ITERATIONS},
        )
    return np.asarray(found.x), float(found.fun)


def _sigmoid_kkt(shifted: ExpSumDesign, y: Array, point: Array, at: int, g: float, delta: float) -> float:
    """Return the KKT residual of the penalty on |g|, from the gradient in h = ln sigmoid(g)."""
    gradient, _ = gradient_and_hessian(shifted, y, point)
    gradient[at] *= -np.expm1(point[at])
    theta = point.copy()
    theta[at] = g
    free = np.abs(gradient + delta * np.sign(theta))
    return float(np.where(theta == 0, np.maximum(np.abs(gradient) - delta, 0.0), free).max())


def _log_sigmoid(g: float) -> float:
    return float(-np.logaddexp(0.0, -g))


def _triple(numbers: tuple[float, float, float] | None) -> dict[str, float] | None:
    return None if numbers is None else dict(zip(("value", "low", "high"), numbers, strict=True))
