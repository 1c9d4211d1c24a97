"""The pictures that ``--figure`` writes: each verb's result with its caption."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from isoflop.present import formats
from isoflop.present.chapter import Figure
from isoflop.progress.figures import capability as figures_capability
from isoflop.progress.figures import gain as figures_gain
from isoflop.progress.figures import sensitivity as figures_sensitivity

if TYPE_CHECKING:
    import polars as pl

    from isoflop.findings import Provenance
    from isoflop.progress.capability.stitching_result import Stitching
    from isoflop.progress.gains.decomposition import Decomposition
    from isoflop.progress.gains.gain_curve import GainCurve
    from isoflop.progress.match_result import Matches
    from isoflop.progress.robustness.comparison import Comparison
    from isoflop.progress.robustness.sweep_result import SensitivityMap, Sweep

_BESIDE = "Further left is slower; every certified minimum is drawn"


def compared(found: Comparison) -> tuple[Figure, ...]:
    """Return the ranking of laws by the rows they have not seen."""
    return (
        _figure(
            "comparison",
            f"Law {found.best.law} predicts unseen rows best, many others nearly as well",
            "Mean squared error above the best, each law at its best penalty",
            figures_sensitivity.comparison_data(found),
            lambda: figures_sensitivity.comparison(found),
            evidence=found.provenance,
            n=found.sample.n,
            interval="Rules are one paired standard error",
        ),
    )


def swept(found: Sweep | SensitivityMap) -> tuple[Figure, ...]:
    """Return the rate under every variant; along penalties as a path, for the map as a curve."""
    from isoflop.progress.robustness.sweep_result import SensitivityMap

    if isinstance(found, SensitivityMap):
        return (
            _figure(
                "specification",
                "The halving time under every combination of choices",
                "Rate at the best minimum, labelled as halving time, from fastest to slowest",
                figures_sensitivity.specification_data(found),
                lambda: figures_sensitivity.specification(found),
                evidence=found.provenance,
                n=found.sample.n,
                interval="Combinations overlap in their rows: their spread is no interval",
            ),
        )
    if found.over == "penalty":
        return (
            _figure(
                "penalty-path",
                "The halving time depends on the penalty",
                "Rate of every certified minimum, labelled as halving time, by penalty",
                figures_sensitivity.penalty_path_data(found),
                lambda: figures_sensitivity.penalty_path(found),
                evidence=found.provenance,
                n=found.sample.n,
                interval="Minima have no interval here",
            ),
        )
    choices = {found.over: found.variants}
    return (
        _figure(
            f"sweep-{found.over}",
            f"The halving time under each choice of {found.over}",
            f"Rate, labelled as halving time. {_BESIDE}",
            figures_sensitivity.variants_data(choices),
            lambda: figures_sensitivity.variants(choices),
            evidence=found.provenance,
            n=found.sample.n,
            interval="Rules are the intervals that --bootstrap asked for, if it did",
        ),
    )


def decomposed(found: Decomposition) -> tuple[Figure, ...]:
    """Return the shares as bars."""
    share = formats.percent(found.compute_share.value or 0.0)
    return (
        _figure(
            "shapley",
            f"Compute and data made {share} of the progress from {found.start.name} to {found.end.name}",
            "Share of the change (Shapley values)",
            figures_gain.shapley_data((found,)),
            lambda: figures_gain.shapley((found,)),
            evidence=found.provenance,
            n=found.fit.sample.n,
            interval=_level(found.level, "over all draws"),
        ),
    )


def gained(found: GainCurve) -> tuple[Figure, ...]:
    """Return the gain over compute with its band."""
    curves = {found.sizing.text: found}
    level = None if found.fit.ci is None else found.fit.ci.level
    return (
        _figure(
            "gain",
            f"Compute saved from {found.from_year:g} to {found.to_year:g}",
            "Compute that the older recipe needs over what the newer one spends (×), by training compute",
            figures_gain.gain_curves_data(curves),
            lambda: figures_gain.gain_curves(curves),
            evidence=found.provenance,
            n=found.fit.sample.n,
            interval=_level(level, "of the draws; compute beyond the data is shaded"),
        ),
    )


def matched(found: Matches) -> tuple[Figure, ...]:
    """Return compute by date at each reference's level."""
    return (
        _figure(
            "iso-performance",
            "Compute of systems near one reference's perplexity, by date",
            "Training compute (FLOP, logarithmic) by publication, one panel a reference",
            figures_capability.iso_performance_data(found),
            lambda: figures_capability.iso_performance(found),
            evidence=found.provenance,
            n=found.n,
            interval="Lines are least squares; their intervals are in the table",
        ),
    )


def stitched(found: Stitching) -> tuple[Figure, ...]:
    """Return stitched capability by release date."""
    level = None if found.ci is None else found.ci.level
    return (
        _figure(
            "stitched",
            f"{len(found.models)} models of {len(found.benchmarks)} benchmarks on one scale",
            "Capability by release date; models seen on few benchmarks in grey",
            figures_capability.stitched_data(found),
            lambda: figures_capability.stitched(found),
            evidence=found.provenance,
            n=found.n,
            interval=_level(level, "of resampled scores"),
        ),
    )


def _level(level: float | None, what: str) -> str:
    return "No interval was asked for" if level is None else f"{formats.percent(level)} intervals {what}"


def _figure(
    name: str,
    title: str,
    subtitle: str,
    frame: pl.DataFrame,
    chart: Callable[[], Any],
    *,
    evidence: Sequence[Provenance],
    n: int,
    interval: str,
) -> Figure:
    return Figure(
        id=name,
        title=title,
        subtitle=subtitle,
        frame=frame,
        chart=chart,
        alt=f"{title}. {subtitle}.",
        source=", ".join(one.name for one in evidence),
        n=n,
        interval=interval,
    )
