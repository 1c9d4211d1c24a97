"""Would missing studies or a filter explain the mean? Tests of small-study effects, resource by resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import IsoflopError
from isoflop.scaling.studies.likelihood import Array, Counts, log_likelihood
from isoflop.scaling.studies.sartor2024 import fit_percent
from isoflop.scaling.studies.study_fits import StudyFits

if TYPE_CHECKING:
    import polars as pl

FEWEST = 10
"""Studies below which no such test can tell asymmetry from chance (Sterne et al. 2011)."""
R2_BAR = 0.7
REPLICATES = 20
_EQUAL_STEPS = (0.025,)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BiasTests:
    """Rows of tests: resource, test, value, low, high, p, n, note."""

    rows: tuple[dict[str, Any], ...]

    def frame(self) -> pl.DataFrame:
        """Return the tests as a table."""
        import polars as pl

        return pl.DataFrame(list(self.rows), infer_schema_length=None)


def bias_tests(fits: StudyFits, *, level: float = 0.95, seed: int = 0) -> BiasTests:
    """Run Egger's regression, PET-PEESE, trim and fill, a selection model and the excess of R² > 0.7.

    Notes
    -----
    The standard error of an exponent depends on the exponent itself, so that a funnel of exponents is
    somewhat lopsided without any bias: a small p is a prompt to look, not a verdict.
    """
    resources = fits.sample.facts["resource"].to_numpy()
    rows: list[dict[str, Any]] = []
    for resource in fits.curves:
        inside = resources == resource
        can = inside & fits.alone.usable
        rows += _small_study(resource, -fits.alone.alpha[can], fits.alone.se[can] ** 2, level)
        rows += _excess(fits, inside, resource, seed)
    return BiasTests(rows=tuple(rows))


def _small_study(resource: str, y: Array, v: Array, level: float) -> list[dict[str, Any]]:
    from isoflop.stats import meta

    n = len(y)

    def row(test: str, **numbers: Any) -> dict[str, Any]:
        blank = {"value": None, "low": None, "high": None, "p": None, "note": ""}
        return {"resource": resource, "test": test, "n": n} | blank | numbers

    if n < FEWEST:
        return [row("all tests", note=f"{n} studies with a standard error, needs {FEWEST}. Add studies.")]
    out = []
    egger = meta.egger(y, v, level=level)
    out.append(row("Egger: slope on the standard error", value=egger.slope, p=egger.p_value))
    corrected = meta.pet_peese(y, v, level=level)
    out.append(
        row(
            f"PET-PEESE: mean at standard error 0 ({corrected.chosen.upper()})",
            value=corrected.value,
            low=corrected.low,
            high=corrected.high,
        )
    )
    try:
        filled = meta.trim_and_fill(y, v, level=level)
        out.append(
            row(
                "trim and fill: mean with mirrored studies",
                value=filled.fit.coefficients[0],
                low=filled.fit.low[0],
                high=filled.fit.high[0],
                note=f"{filled.missing} studies added on the {filled.side}",
            )
        )
        selected = meta.selection_model(y, v, steps=_EQUAL_STEPS, alternative="less", level=level)
        out.append(
            row(
                "selection model: mean if results with p > .025 are missing",
                value=selected.coefficients[0],
                low=selected.low[0],
                high=selected.high[0],
                p=selected.lr_p,
                note=f"such results are {selected.delta[-1]:.2f} times as likely to be seen",
            )
        )
    except IsoflopError as error:
        out.append(row("trim and fill, selection model", note=str(error)))
    return out


def _excess(fits: StudyFits, inside: NDArray[np.bool_], resource: str, seed: int) -> list[dict[str, Any]]:
    """Compare the share of R² > 0.7 with what the fitted laws and their trials alone would give."""
    from isoflop.stats.meta import excess_share

    can = inside & np.isfinite(fits.percent.r2) & fits.alone.usable
    if not can.any():
        return []
    flags = fits.percent.r2[can] > R2_BAR
    chances = _chance_of_r2(fits.sample.counts.rows(can), fits.alone.alpha[can], seed)
    found = excess_share(flags, chances)
    return [
        {
            "resource": resource,
            "test": "share of R² > 0.7 in the published method's fits",
            "n": int(can.sum()),
            "value": float(flags.mean()),
            "low": None,
            "high": None,
            "p": found.p_value,
            "note": f"the laws and their trials alone give {float(np.mean(chances)):.2f}",
        }
    ]


def _chance_of_r2(counts: Counts, alpha: Array, seed: int) -> Array:
    """Return how often R² passes the bar in tables drawn from each study's own law."""
    rng = np.random.default_rng(seed)
    chance = np.zeros(len(alpha))
    low, high = counts.low_x[:, None], counts.high_x[:, None]
    anchor = np.where(alpha[:, None] >= 0, low, high)
    _, levels = log_likelihood(counts, alpha[:, None])
    error = np.clip(levels * np.exp(-alpha[:, None] * (counts.log_x - anchor)), 0.0, 1.0)
    trials = np.maximum(np.round(counts.trials), 0).astype(int)
    for _ in range(REPLICATES):
        drawn = rng.binomial(trials, np.where(trials > 0, error, 0.0)).astype(float)
        r2 = fit_percent(Counts(log_x=counts.log_x, errors=drawn, trials=trials.astype(float))).r2
        chance += np.nan_to_num(r2, nan=0.0) > R2_BAR
    return chance / REPLICATES
