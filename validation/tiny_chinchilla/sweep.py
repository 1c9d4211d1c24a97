"""``python -m validation.tiny_chinchilla.sweep``: how far the rule of rates is from the best rate.

Each cell is trained at the rate of the rule and at the factors around it, on a training text and a seed
that the study does not use. The lowest of several losses is lower by luck too, so the last column
overstates a little.
"""

from __future__ import annotations

import numpy as np

from validation.tiny_chinchilla.__main__ import RUNS
from validation.tiny_chinchilla.design import Plan
from validation.tiny_chinchilla.source import Grammar
from validation.tiny_chinchilla.texts import MadeUp, Text, read_plays
from validation.tiny_chinchilla.train import held_out, train

FACTORS = (0.5, 0.71, 1.0, 1.41, 2.0)
CELLS = ((0, 4), (0, 7), (2, 2), (2, 6), (4, 4), (6, 2), (6, 4), (8, 2))
_SEED = 424_242


def main() -> None:
    """Print the held-out loss of every cell at every factor."""
    texts: list[Text] = [MadeUp(Grammar()), read_plays(RUNS)]
    print("| text | N | D | rate of the rule |", *(f"× {factor:g} |" for factor in FACTORS), "rule − best |")
    print("| --- " * (5 + len(FACTORS)) + "|")
    for text in texts:
        for size, length in CELLS:
            plan = Plan(text=text.name, size=size, length=length, seed=_SEED)
            found = [_loss(plan, text, factor) for factor in FACTORS]
            shown = " | ".join(f"{loss:.4f}" for loss in found)
            above = found[FACTORS.index(1.0)] - min(found)
            what = f"{text.name} | {plan.shape.params:,} | {plan.characters:,} | {plan.lr:g}"
            print(f"| {what} | {shown} | {above:.4f} |", flush=True)


def _loss(plan: Plan, text: Text, factor: float) -> float:
    to_draw, to_train = np.random.default_rng([_SEED, plan.size, plan.length]).spawn(2)
    seen = text.training(plan.characters, to_draw)
    weights = train(plan.shape, seen, lr=plan.lr * factor, batch=plan.batch, rng=to_train)
    return held_out(weights, text.held_out).mean


if __name__ == "__main__":
    main()
