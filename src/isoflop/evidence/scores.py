"""Schemas of benchmark scores: `capabilities`, `scores`, `benchmarks` and `index_scale`."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from isoflop.evidence.schema import POSITIVE, Column, Rule, Schema, each
from isoflop.units import fractional_year

if TYPE_CHECKING:
    import polars as pl

SAME_MODELS = 10
"""Models that two benchmarks must share before equal scores make one suspect to be a copy."""
SAME_SHARE = 0.9
_FRACTION = Rule(low=0.0, high=1.0, open_low=False, open_high=False, hint="Divide by 100?")


def _dated(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(year=each(fractional_year, frame, "release_date"))


def _capabilities(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    import polars as pl

    return _dated(frame).with_columns(log10_train_flop=pl.col("train_flop").log10()), ()


def _scores(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    return _dated(frame), (*_copies(frame), *_extremes(frame), *_distilled(frame))


def _benchmarks(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    return _dated(frame), ()


def _copies(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return a caution for each pair of benchmarks that seem to be one under two names."""
    best = {
        name: dict(part.select("model", "score").iter_rows())
        for (name,), part in frame.group_by("benchmark", maintain_order=True)
    }
    said = []
    for one, other in combinations(sorted(best), 2):
        shared = best[one].keys() & best[other].keys()
        equal = sum(best[one][model] == best[other][model] for model in shared)
        if len(shared) >= SAME_MODELS and equal >= SAME_SHARE * len(shared):
            said.append(
                f"{one} and {other} carry the same score for {equal} of {len(shared)} shared models: "
                "one benchmark under two names counts twice. Leave one out."
            )
    return tuple(said)


def _extremes(frame: pl.DataFrame) -> tuple[str, ...]:
    count = int(frame["score"].is_in([0.0, 1.0]).sum())
    if not count:
        return ()
    return (f"{count} scores are exactly 0 or 1: they have no logit. A fit must clip or leave them out.",)


def _distilled(frame: pl.DataFrame) -> tuple[str, ...]:
    import polars as pl

    models = frame.filter(pl.col("is_distilled"))["model"].n_unique()
    if not models:
        return ()
    return (
        f"{models} models are distilled from larger ones: their own compute understates what they cost, "
        "which biases trends. Leave them out with is_distilled = false.",
    )


CAPABILITIES = Schema(
    name="capabilities",
    columns=(
        Column(name="model", dtype="text", required=True, filled=True, doc="Model version."),
        Column(name="model_name", dtype="text", doc="Model without its version."),
        Column(
            name="capability_index",
            dtype="number",
            unit="index points",
            required=True,
            aliases=("eci_score", "eci"),
            doc="Capability index; higher is better.",
        ),
        Column(name="release_date", dtype="date", required=True, aliases=("date",), doc="First release."),
        Column(
            name="train_flop",
            dtype="number",
            unit="FLOP",
            required=True,
            rule=POSITIVE,
            doc="Training compute.",
        ),
        Column(name="confidence", dtype="text", doc="Confidence in the compute estimate."),
        Column(name="family", dtype="text", doc="Model family, for slopes by family."),
        Column(name="organization", dtype="text", doc="Developer."),
        Column(name="country", dtype="text", doc="Country of the developer."),
        Column(name="accessibility", dtype="text", doc="How the model can be used."),
    ),
    doc="One row is one model version with its capability index.",
    key=("model",),
    derive=_capabilities,
)

SCORES = Schema(
    name="scores",
    columns=(
        Column(name="model", dtype="text", required=True, filled=True, doc="Model version."),
        Column(name="benchmark", dtype="text", required=True, filled=True, doc="Benchmark."),
        Column(
            name="score",
            dtype="number",
            unit="1",
            required=True,
            filled=True,
            rule=_FRACTION,
            doc="Share of the best possible result.",
        ),
        Column(name="model_name", dtype="text", doc="Model without its version."),
        Column(name="release_date", dtype="date", doc="First release of the version."),
        Column(name="shots", dtype="text", doc="Examples in the prompt, as the source prints it."),
        Column(
            name="n_scores", dtype="number", unit="1", rule=POSITIVE, doc="Scores the row was chosen from."
        ),
        Column(name="lowest_score", dtype="number", unit="1", rule=_FRACTION, doc="Lowest of these scores."),
        Column(name="is_distilled", dtype="flag", doc="Distilled from a larger model."),
        Column(name="train_flop", dtype="number", unit="FLOP", rule=POSITIVE, doc="Training compute."),
        Column(name="source", dtype="text", doc="Who published the score."),
    ),
    doc="One row is one model on one benchmark.",
    key=("model", "benchmark"),
    derive=_scores,
)

BENCHMARKS = Schema(
    name="benchmarks",
    columns=(
        Column(name="benchmark", dtype="text", required=True, filled=True, doc="Benchmark."),
        Column(
            name="difficulty",
            dtype="number",
            unit="index points",
            required=True,
            aliases=("edi",),
            doc="Index at 50 %.",
        ),
        Column(
            name="slope",
            dtype="number",
            unit="1 per index point",
            required=True,
            rule=POSITIVE,
            aliases=("estimated_slope_scaled",),
            doc="Steepness of the logistic curve.",
        ),
        Column(name="release_date", dtype="date", doc="Release of the benchmark."),
        Column(name="is_anchor", dtype="flag", doc="Fixes the scale."),
    ),
    doc="One row is one benchmark on the capability scale.",
    key=("benchmark",),
    derive=_benchmarks,
)

INDEX_SCALE = Schema(
    name="index_scale",
    columns=(
        Column(name="a", dtype="number", unit="index points", required=True, doc="Index at capability 0."),
        Column(
            name="b",
            dtype="number",
            unit="index points",
            required=True,
            doc="Index points per capability unit.",
        ),
        Column(name="scaling_anchor1", dtype="text", doc="First anchor model."),
        Column(name="scaling_anchor1_eci", dtype="number", unit="index points", doc="Its index."),
        Column(name="scaling_anchor2", dtype="text", doc="Second anchor model."),
        Column(name="scaling_anchor2_eci", dtype="number", unit="index points", doc="Its index."),
    ),
    doc="One row: how stitched capabilities turn into the published index.",
    derive=lambda frame, where: (frame, ()),  # noqa: ARG005
)
