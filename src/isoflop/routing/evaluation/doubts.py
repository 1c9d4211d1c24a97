"""What limits an evaluation, in words: each caution says what would cure it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from isoflop.present import formats

if TYPE_CHECKING:
    from isoflop.routing.evaluation.result import RoutingEvaluation

FEW_PROMPTS = 30
"""A task given by fewer prompts has a noisy place among the datasets."""
NAMED = 4


def doubts_of(found: RoutingEvaluation) -> tuple[str, ...]:
    """Return the cautions of the evidence, the encoder and the evaluation, without repetitions."""
    return tuple(dict.fromkeys([*found.scored.cautions, *found.said, *_own(found)]))


def _own(found: RoutingEvaluation) -> list[str]:
    said = []
    far = found.far
    if far:
        said.append(
            f"{_names(far)}: further from the pool than any training dataset, so what was learned of others "
            "hardly speaks of them. Benchmarks of that kind cure it."
        )
    few = [found.scored.datasets[d] for d in np.flatnonzero(found.scored.sizes < FEW_PROMPTS)]
    if few:
        said.append(
            f"{_names(few)}: fewer than {FEW_PROMPTS} prompts stand for the task. More prompts cure it; they "
            "need no labels."
        )
    inverted = int(np.sum(found.p < 0.5))
    if inverted and any(name in found.methods for name in ("s3", "s3_true_p")):
        said.append(
            f"in {inverted} of {found.p.size} cells (dataset, model) the predictor is right less often than "
            "chance, where S3 turns its score upside down. Nearer benchmarks cure it."
        )
    copies = int(found.leaked.sum())
    if copies and found.settings.leakage == "drop":
        said.append(
            f"{copies} times a prompt of another dataset was a copy of one of the task's and left the pool."
        )
    if found.compat == "golden":
        said.append(
            "compat='golden': the width of the smoother was chosen on accuracies whose pools held the new "
            "task's rows. Leave --compat out for numbers that saw nothing of it."
        )
    if found.has_signal is False:
        said.append(
            "no routing signal found: the neighbours' datasets predict no left-out dataset better than the "
            "mean does. Labels of the task, or nearer benchmarks, would."
        )
    return said


def _names(names: list[str] | tuple[str, ...]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {formats.count(more)} more" if more > 0 else "")
