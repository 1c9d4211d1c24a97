"""Schema ``benchmark_descriptions``: what each benchmark asks, in words that a task can be compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.schema import Column, Schema

if TYPE_CHECKING:
    import polars as pl

BETWEEN_EXAMPLES = " | "
"""Stands between the examples of one benchmark."""


def _as_it_is(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    return frame, ()


BENCHMARK_DESCRIPTIONS = Schema(
    name="benchmark_descriptions",
    columns=(
        Column(name="benchmark", dtype="text", required=True, filled=True, doc="Benchmark."),
        Column(
            name="description",
            dtype="text",
            required=True,
            filled=True,
            doc="What it asks, in two to four sentences.",
        ),
        Column(
            name="examples",
            dtype="text",
            required=True,
            doc="Inputs of this kind, made up; separated by ' | '.",
        ),
        Column(name="answer", dtype="text", doc="Form of the answer: option, number, code or text."),
    ),
    doc="One row is one benchmark in words of our own; the examples are made up and come from no test set.",
    key=("benchmark",),
    derive=_as_it_is,
)
