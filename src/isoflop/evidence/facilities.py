"""Schema ``compute_facilities``: machines that academic researchers can apply to, and how large they are.

A facility is described by what its operator publishes: how many accelerators of which kind. How much of it
one project may have is another question.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.evidence.schema import POSITIVE, SOURCING, Column, Rule, Schema, recalled

if TYPE_CHECKING:
    import polars as pl

SHARE = Rule(low=0.0, high=1.0, open_high=False, hint="Write a share, such as 0.6 for 60 %.")


def _facilities(frame: pl.DataFrame, where: str) -> tuple[pl.DataFrame, tuple[str, ...]]:  # noqa: ARG001
    return frame, recalled(frame)


COMPUTE_FACILITIES = Schema(
    name="compute_facilities",
    columns=(
        Column(name="facility", dtype="text", required=True, filled=True, doc="Name of the machine."),
        Column(name="country", dtype="text", doc="Where it stands."),
        Column(name="operator", dtype="text", doc="Who runs it."),
        Column(
            name="accelerator",
            dtype="text",
            required=True,
            filled=True,
            doc="Kind of accelerator, named as in schema hardware where that has it.",
        ),
        Column(
            name="accelerators",
            dtype="number",
            unit="1",
            required=True,
            rule=POSITIVE,
            doc="How many are installed.",
        ),
        Column(name="as_of_date", dtype="date", doc="When it had that many, or entered service."),
        Column(
            name="academic_share",
            dtype="number",
            unit="1",
            rule=SHARE,
            doc="Part of the time open to research proposals, where a source states it.",
        ),
        *SOURCING,
    ),
    doc="One row is one machine open to academic research.",
    key=("facility",),
    derive=_facilities,
)
