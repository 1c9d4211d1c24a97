"""The rows that a verb of `isoflop progress` works on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.present.evidence import read_table

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.progress.commands.options import SampleChoice
    from isoflop.progress.sample import Sample


def read_sample(choice: SampleChoice, *, compat: str = "converged") -> Sample:
    """Return the rows that the rules choose."""
    from isoflop.progress.sample import select

    rules = choice.rules(compat=compat)
    return select(read_evaluations(choice), rules=rules, task=choice.task)


def read_evaluations(choice: SampleChoice) -> Table:
    """Return the table of evaluations that was named, or the best at hand for its task."""
    image = choice.task == "image_classification"
    preferred = ("image_evaluations",) if image else ("lm_evaluations", "language_evaluations")
    return read_table(choice.evidence, "evaluations", preferred)
