"""Every schema by name."""

from __future__ import annotations

from isoflop.evidence.benchmark_descriptions import BENCHMARK_DESCRIPTIONS
from isoflop.evidence.chip_prices import CHIP_PRICES
from isoflop.evidence.curves import LEARNING_CURVES
from isoflop.evidence.evaluations import EVALUATIONS
from isoflop.evidence.facilities import COMPUTE_FACILITIES
from isoflop.evidence.hardware import HARDWARE, SAVINGS
from isoflop.evidence.model_scores import MODEL_SCORES
from isoflop.evidence.models import MODELS
from isoflop.evidence.portability import (
    PORTABILITY_FACTS,
    PORTABILITY_OUTCOMES,
    PORTABILITY_RESULTS,
    PORTABILITY_TIMINGS,
    PORTABILITY_USAGE,
)
from isoflop.evidence.pretrained import PRETRAINED_MODELS
from isoflop.evidence.prompt_scores.schemas import (
    MODEL_CATALOGUE,
    MODEL_SCORES_BY_PROMPT,
    PROMPTS,
    TASK_LABELS,
)
from isoflop.evidence.published import PUBLISHED_EXPONENTS, STUDY_SUMMARIES
from isoflop.evidence.runs import DOWNSTREAM_RUNS, SCALING_RUNS
from isoflop.evidence.schema import Schema
from isoflop.evidence.scores import BENCHMARKS, CAPABILITIES, INDEX_SCALE, SCORES
from isoflop.evidence.studies import STUDY_POINTS
from isoflop.evidence.works import WORKS

SCHEMAS: dict[str, Schema] = {
    schema.name: schema
    for schema in (
        EVALUATIONS,
        CAPABILITIES,
        SCORES,
        BENCHMARKS,
        INDEX_SCALE,
        HARDWARE,
        SAVINGS,
        SCALING_RUNS,
        LEARNING_CURVES,
        DOWNSTREAM_RUNS,
        MODEL_SCORES,
        BENCHMARK_DESCRIPTIONS,
        MODEL_SCORES_BY_PROMPT,
        PROMPTS,
        MODEL_CATALOGUE,
        TASK_LABELS,
        PORTABILITY_RESULTS,
        PORTABILITY_FACTS,
        PORTABILITY_OUTCOMES,
        PORTABILITY_TIMINGS,
        PORTABILITY_USAGE,
        MODELS,
        WORKS,
        CHIP_PRICES,
        COMPUTE_FACILITIES,
        PRETRAINED_MODELS,
        STUDY_POINTS,
        STUDY_SUMMARIES,
        PUBLISHED_EXPONENTS,
    )
}
