"""How much compute did the step from Kaplan's to Hoffmann's sizing rule save, at each scale?

Kaplan et al. (2020) and Hoffmann et al. (2022, "Chinchilla") advise different model sizes N and
token counts D for the same budget C = 6ND. Their laws are

    Kaplan      L = ((Nc/N)^(aN/aD) + Dc/D)^aD
    Chinchilla  L = E + A/N^α + B/D^β

Taking the Chinchilla law as the truth, a model sized by Kaplan's rule at budget C reaches a loss
that the Chinchilla rule reaches at C' <= C. The compute-equivalent gain is C/C' (×), a gain from
one published change only, at fixed data and architecture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from isoflop.errors import SettingError
from isoflop.findings import Estimate, Finding, Provenance, json_ready
from isoflop.present.formats import number
from isoflop.present.notebook import result_html
from isoflop.units import FLOP_PER_PARAMETER_TOKEN

if TYPE_CHECKING:
    import polars as pl

FloatArray = NDArray[np.float64]

SOURCE = "Kaplan et al. 2020, arXiv 2001.08361; Hoffmann et al. 2022, arXiv 2203.15556 (approach 3)"
LAW_DATA_FLOP = (6e18, 3e21)
"""Budgets of the isoFLOP runs behind the Chinchilla law; outside them the curve extrapolates."""
PUBLISHED_GAIN = {1e19: 1.14, 1e25: 4.33}
"""Printed by the search of Ho et al. 2024, which stops within 3e-3 of the loss: up to 7 % off."""
DEFAULT_TRAIN_FLOP = tuple(float(c) for c in np.logspace(18.0, 26.0, 81))


@dataclass(frozen=True, slots=True, kw_only=True)
class KaplanLaw:
    """Constants of L = ((Nc/N)^(aN/aD) + Dc/D)^aD; N in parameters, D in tokens."""

    a_n: float = 0.076
    a_d: float = 0.103
    n_c: float = 6.4e13
    d_c: float = 1.8e13

    def optimum(self, train_flop: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the (N, D) of least loss with 6ND = `train_flop`, in closed form.

        Notes
        -----
        With N = C/(6D) the loss falls and rises once in D; its derivative vanishes at
        D^(k+1) = Dc / (k (6 Nc/C)^k), k = aN/aD.
        """
        flop = np.asarray(train_flop, dtype=np.float64)
        k = self.a_n / self.a_d
        tokens = (self.d_c / (k * (FLOP_PER_PARAMETER_TOKEN * self.n_c / flop) ** k)) ** (1.0 / (k + 1.0))
        return flop / (FLOP_PER_PARAMETER_TOKEN * tokens), tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class ChinchillaLaw:
    """Constants of L = E + A/N^alpha + B/D^beta, in nats per token."""

    e: float = 1.69
    a: float = 406.4
    b: float = 410.7
    alpha: float = 0.34
    beta: float = 0.28

    def loss(self, parameters: ArrayLike, train_tokens: ArrayLike) -> FloatArray:
        """Return the loss in nats per token."""
        n, d = np.asarray(parameters, dtype=np.float64), np.asarray(train_tokens, dtype=np.float64)
        return np.asarray(self.e + self.a * n**-self.alpha + self.b * d**-self.beta)

    def optimum(self, train_flop: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return the (N, D) of least loss with 6ND = `train_flop`, in closed form."""
        flop = np.asarray(train_flop, dtype=np.float64)
        n_1, _ = self._optimum_at_one_flop()
        n = n_1 * flop ** (self.beta / (self.alpha + self.beta))
        return n, flop / (FLOP_PER_PARAMETER_TOKEN * n)

    def flop_for(self, loss_nats: ArrayLike) -> FloatArray:
        """Return the least training FLOP that reaches `loss_nats` (> E)."""
        n_1, d_1 = self._optimum_at_one_flop()
        scale = self.a * n_1**-self.alpha + self.b * d_1**-self.beta
        exponent = self.alpha * self.beta / (self.alpha + self.beta)
        reducible = np.asarray(loss_nats, dtype=np.float64) - self.e
        return np.asarray((reducible / scale) ** (-1.0 / exponent))

    def _optimum_at_one_flop(self) -> tuple[float, float]:
        both = self.alpha + self.beta
        ratio = (self.alpha * self.a / (self.beta * self.b)) ** (1.0 / both)
        n = ratio * (1.0 / FLOP_PER_PARAMETER_TOKEN) ** (self.beta / both)
        return n, 1.0 / (FLOP_PER_PARAMETER_TOKEN * n)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChinchillaGain:
    """The gain curve of one sizing rule over another.

    All arrays have shape (n,) and belong to `train_flop`.

    Parameters
    ----------
    train_flop : array, FLOP
        Budget C at which the older recipe is used.
    gain : array, ×
        C/C'.
    equivalent_flop : array, FLOP
        C', what the newer recipe needs for the same loss.
    loss_nats : array
        Loss of the older recipe at C under the Chinchilla law.
    kaplan_parameters, kaplan_tokens, chinchilla_parameters, chinchilla_tokens : array
        Both recipes at budget C.
    """

    train_flop: FloatArray
    gain: FloatArray
    equivalent_flop: FloatArray
    loss_nats: FloatArray
    kaplan_parameters: FloatArray
    kaplan_tokens: FloatArray
    chinchilla_parameters: FloatArray
    chinchilla_tokens: FloatArray

    @property
    def cautions(self) -> tuple[str, ...]:
        """Doubts that limit the curve."""
        low, high = LAW_DATA_FLOP
        notes = [
            "The curve takes both sets of published constants as exact, so it has no interval. "
            "Refitted constants would give one.",
        ]
        beyond = float(np.max(self.train_flop)) / high
        if beyond > 1:
            notes.append(
                f"Above {number(high, 2)} FLOP the Chinchilla law extrapolates beyond its runs "
                f"({np.log10(beyond):.1f} decades at its end). Read the shaded part as a projection."
            )
        if float(np.min(self.train_flop)) < low:
            notes.append(f"Below {number(low, 2)} FLOP the Chinchilla law extrapolates beyond its runs.")
        return tuple(notes)

    @property
    def provenance(self) -> tuple[Provenance, ...]:
        """The two published laws."""
        return (
            Provenance(
                name="kaplan_and_chinchilla_constants",
                source=SOURCE,
                kind="published",
                rows_used=2,
                rows_dropped=0,
                fingerprint="published-constants",
            ),
        )

    def frame(self) -> pl.DataFrame:
        """Return one row per budget; `is_extrapolated` marks those outside the law's runs."""
        import polars as pl

        low, high = LAW_DATA_FLOP
        return pl.DataFrame(
            {
                "train_flop": self.train_flop,
                "gain": self.gain,
                "equivalent_flop": self.equivalent_flop,
                "loss_nats": self.loss_nats,
                "kaplan_parameters": self.kaplan_parameters,
                "kaplan_tokens": self.kaplan_tokens,
                "chinchilla_parameters": self.chinchilla_parameters,
                "chinchilla_tokens": self.chinchilla_tokens,
                "is_extrapolated": (self.train_flop < low) | (self.train_flop > high),
            }
        )

    def published_frame(self) -> pl.DataFrame:
        """Return the published points beside ours; the published ones are approximate."""
        import polars as pl

        flop = np.array(sorted(PUBLISHED_GAIN))
        ours = chinchilla_gain(flop).gain
        return pl.DataFrame(
            {"train_flop": flop, "published_approximate": [PUBLISHED_GAIN[c] for c in flop], "ours": ours}
        )

    def findings(self) -> tuple[Finding, ...]:
        """Return the gain at the largest budget, and at the smallest as a variant."""
        last, first = int(np.argmax(self.train_flop)), int(np.argmin(self.train_flop))
        pairs = [("progress.chinchilla_gain", last)]
        if first != last:
            pairs.append((f"progress.chinchilla_gain.{_flop_label(self.train_flop[first])}", first))
        return tuple(
            Finding(
                id=name,
                instrument="progress",
                label=f"gain from Kaplan's to Chinchilla's rule at {number(self.train_flop[i], 2)} FLOP",
                estimate=Estimate(value=float(self.gain[i]), unit="×"),
                method="closed form; Chinchilla law taken as the truth; no interval for published constants",
                n=None,
                evidence=self.provenance,
                cautions=self.cautions,
                details={
                    "at_flop": float(self.train_flop[i]),
                    "equivalent_flop": float(self.equivalent_flop[i]),
                    "published_approximate": PUBLISHED_GAIN.get(float(self.train_flop[i])),
                },
            )
            for name, i in pairs
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return {
            "curve": json_ready(self.frame().to_dicts()),
            "published": json_ready(self.published_frame().to_dicts()),
            "cautions": list(self.cautions),
            "provenance": [p.to_dict() for p in self.provenance],
        }

    def summary(self) -> str:
        """Return a text of a few lines."""
        order = np.argsort(self.train_flop)
        ends = [order[0], order[-1]] if order.size > 1 else [order[0]]
        lines = [f"Kaplan to Chinchilla at {self.train_flop[i]:.2g} FLOP: {self.gain[i]:.2f}×" for i in ends]
        return "\n".join([*lines, *(f"Caution: {note}" for note in self.cautions)])

    def __repr__(self) -> str:
        return self.summary()

    _repr_html_ = result_html


def chinchilla_gain(
    train_flop: ArrayLike = DEFAULT_TRAIN_FLOP,
    *,
    kaplan: KaplanLaw | None = None,
    chinchilla: ChinchillaLaw | None = None,
) -> ChinchillaGain:
    """Return how many times less compute Chinchilla's sizing rule needs than Kaplan's.

    Parameters
    ----------
    train_flop : float or array, shape (n,), > 0
        Budgets in FLOP.
    kaplan, chinchilla : KaplanLaw, ChinchillaLaw, optional
        Other constants than the published ones.

    Returns
    -------
    ChinchillaGain

    Raises
    ------
    SettingError
        A budget is not a positive finite number.

    Notes
    -----
    Source: Ho et al. (2024), appendix on scaling laws; we differ in solving both optima in
    closed form where they search to a tolerance of 3e-3 in loss.

    Examples
    --------
    >>> chinchilla_gain([1e19, 1e25]).gain.round(3).tolist()
    [1.141, 4.653]
    """
    flop = np.atleast_1d(np.asarray(train_flop, dtype=np.float64)).copy()
    if flop.ndim != 1 or flop.size == 0 or not np.all(np.isfinite(flop) & (flop > 0)):
        raise SettingError(
            f"chinchilla_gain: train_flop={train_flop!r}, needs positive numbers of FLOP. Pass 1e25, say."
        )
    older, newer = kaplan or KaplanLaw(), chinchilla or ChinchillaLaw()
    n_kaplan, d_kaplan = older.optimum(flop)
    n_best, d_best = newer.optimum(flop)
    loss = newer.loss(n_kaplan, d_kaplan)
    equivalent = newer.flop_for(loss)
    arrays = (flop, flop / equivalent, equivalent, loss, n_kaplan, d_kaplan, n_best, d_best)
    for array in arrays:
        array.flags.writeable = False
    return ChinchillaGain(
        train_flop=flop,
        gain=arrays[1],
        equivalent_flop=equivalent,
        loss_nats=loss,
        kaplan_parameters=n_kaplan,
        kaplan_tokens=d_kaplan,
        chinchilla_parameters=n_best,
        chinchilla_tokens=d_best,
    )


def _flop_label(flop: float) -> str:
    return f"flop_{flop:.0e}".replace("+", "")
