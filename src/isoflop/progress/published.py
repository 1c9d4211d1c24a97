"""What the paper printed, as numbers with their place: beside ours in every table, never mixed in.

Source: Ho et al. (2024), arXiv 2403.05812 version 1, its public notebooks, and the NeurIPS version.
"""

from __future__ import annotations

from dataclasses import dataclass

from isoflop.findings import Estimate, Finding, Provenance
from isoflop.progress.baselines import MOORE_MONTHS
from isoflop.units import rate_from_halving_time

PAPER = "Ho et al. (2024), Algorithmic progress in language models"
_EVIDENCE = Provenance(
    name="public sheet",
    source="Ho et al. (2024), 231 evaluations of 144 papers",
    kind="published",
    rows_used=231,
    rows_dropped=177,
    fingerprint="",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One printed number.

    Parameters
    ----------
    quantity : str
        What it is, with enough words to find it.
    estimate : Estimate
    where : str
        Part of the paper or of its notebooks.
    """

    quantity: str
    estimate: Estimate
    where: str


def _number(
    value: float,
    low: float | None = None,
    high: float | None = None,
    *,
    unit: str,
    level: float | None = None,
) -> Estimate:
    return Estimate(value=value, low=low, high=high, unit=unit, level=level)


PUBLISHED: dict[str, Published] = {
    "halving_time": Published(
        quantity="halving time of the compute needed",
        estimate=_number(8.0, 5.0, 14.0, unit="months", level=0.95),
        where="abstract, arXiv version 1",
    ),
    "halving_time_neurips": Published(
        quantity="halving time of the compute needed",
        estimate=_number(8.0, 2.0, 22.0, unit="months", level=0.90),
        where="NeurIPS version",
    ),
    "halving_time_law_7": Published(
        quantity="halving time, law 7, median of 100 row resamples",
        estimate=_number(8.444, 4.518, 14.269, unit="months", level=0.95),
        where="public notebook, main fit",
    ),
    "halving_time_aggregate": Published(
        quantity="halving time, ten laws and penalties pooled",
        estimate=_number(7.92, 1.42, 17.06, unit="months", level=0.95),
        where="public notebook, aggregate",
    ),
    "objective": Published(
        quantity="penalised mean squared error, law 7, penalty 0.0025",
        estimate=_number(0.0518129, unit="1"),
        where="public notebook, main fit",
    ),
    "shapley_rnn_gpt3": Published(
        quantity="share of compute (parameters and data), RNN to GPT-3",
        estimate=_number(0.810, unit="1"),
        where="public notebook, decomposition",
    ),
    "compute_share": Published(
        quantity="share of compute in the gain, over pairs of systems",
        estimate=_number(0.810, 0.60, 0.95, unit="1"),
        where="text: 60 to 95 %; RNN to GPT-3 from the public notebook",
    ),
    "transformer_gain": Published(
        quantity="compute-equivalent gain of the transformer at 10²² FLOP",
        estimate=_number(6.64, 3.21, 28.2, unit="×", level=0.95),
        where="public notebook",
    ),
}


def published_findings() -> tuple[Finding, ...]:
    """Return the published figures under the ids that the claims' rules ask for."""
    time = PUBLISHED["halving_time"]
    share = PUBLISHED["compute_share"]
    ratio = time.estimate.map(
        lambda months: rate_from_halving_time(months) / rate_from_halving_time(MOORE_MONTHS), unit="×"
    )
    return (
        _finding("halving_time_months", time.quantity, time.estimate, time.where),
        _finding("ratio_to_moore", "rate over a doubling in 24 months", ratio, time.where),
        _finding("compute_share", share.quantity, share.estimate, share.where),
    )


def _finding(name: str, label: str, estimate: Estimate, where: str) -> Finding:
    return Finding(
        id=f"progress.{name}",
        instrument="progress",
        label=label,
        estimate=estimate,
        method=f"as published: {where}",
        n=231,
        evidence=(_EVIDENCE,),
    )
