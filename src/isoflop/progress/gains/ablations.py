"""Gains that others measured by taking innovations away, beside the gain that a fit implies.

A trend over published systems implies one multiplier for a span of years. Ablations ask which
innovations it is made of. They find little at small scale and much at the frontier, so that one
multiplier for all scales is in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from isoflop.present.formats import number
from isoflop.progress.gains.gain import gain
from isoflop.progress.rates import REFERENCE_FLOP
from isoflop.progress.result import ProgressFit

SPAN = (2012.0, 2023.0)
"""Years that the published multiplier covers."""
SOURCE = "Gundlach et al. 2025, arXiv 2511.21622"


@dataclass(frozen=True, slots=True, kw_only=True)
class AblationGain:
    """One published gain, as a multiple of compute.

    Parameters
    ----------
    what : str
        What was taken away, or what the number explains.
    scale : str
        Scale at which it holds, in words.
    gain : float
        ×.
    relation : {"below", "about"}
        "below": the source gives an upper bound.
    kind : {"ablation", "implied"}
        "implied": the multiplier of a trend, set beside the ablations.
    """

    what: str
    scale: str
    gain: float
    relation: Literal["below", "about"]
    kind: Literal["ablation", "implied"] = "ablation"
    source: str = SOURCE


ABLATION_GAINS = (
    AblationGain(
        what="catalogued innovations, ablated one by one", scale="small", gain=10.0, relation="below"
    ),
    AblationGain(
        what="further innovations, from gains stated in the literature",
        scale="small",
        gain=10.0,
        relation="below",
    ),
    AblationGain(
        what="changes that matter more with scale: LSTM to transformer, Kaplan to Chinchilla sizing",
        scale="frontier",
        gain=6930.0,
        relation="about",
    ),
    AblationGain(
        what="trend of published systems, 2012 to 2023",
        scale="any (assumed)",
        gain=22000.0,
        relation="about",
        kind="implied",
    ),
)
"""Published values; none was measured here."""


def ablation_rows(fit: ProgressFit | None = None) -> list[dict[str, Any]]:
    """Return the published gains as rows, followed by the gain that `fit` implies for the same years.

    Every row has what, scale, gain, low, high, relation, kind and source.

    Examples
    --------
    >>> [row["gain"] for row in ablation_rows()]
    [10.0, 10.0, 6930.0, 22000.0]
    """
    rows: list[dict[str, Any]] = [
        {
            "what": row.what,
            "scale": row.scale,
            "gain": row.gain,
            "low": None,
            "high": None,
            "relation": row.relation,
            "kind": row.kind,
            "source": f"published: {row.source}",
        }
        for row in ABLATION_GAINS
    ]
    if fit is not None:
        curve = gain(fit, from_year=SPAN[0], to_year=SPAN[1], train_flop=REFERENCE_FLOP)
        ours = curve.estimate(0)
        rows.append(
            {
                "what": f"this fit, {SPAN[0]:g} to {SPAN[1]:g}",
                "scale": "any (assumed)" if curve.is_scale_free else f"{number(REFERENCE_FLOP, 2)} FLOP",
                "gain": ours.value,
                "low": ours.low,
                "high": ours.high,
                "relation": "about",
                "kind": "implied",
                "source": f"{fit.sample.table.name}: {fit.method}",
            }
        )
    return rows
