"""Terms of the report in plain words; the page lists those that it uses."""

from __future__ import annotations

GLOSSARY: dict[str, str] = {
    "algorithmic progress": "Improvements in how models are built and trained that let less compute reach "
    "the same result.",
    "bootstrap": "Refitting on data drawn again with replacement, to see how far an answer moves with the "
    "sample.",
    "certificate": "A check that a fit has reached a minimum: the conditions that hold at a minimum, and "
    "how far they are from being met.",
    "compute-equivalent gain": "How many times more compute would have bought the same result.",
    "cross-validation": "Judging a model on data that its fit has not seen.",
    "diffusion": "How far a better algorithm, once found, reaches those who did not find it. Free diffusion "
    "means at once and in full.",
    "doubling time": "Time in which something that grows at a steady rate becomes twice as large.",
    "effective compute": "Compute multiplied by what better algorithms make of it: the amount that an "
    "earlier algorithm would have needed.",
    "effective growth": "Growth of compute by hardware and spending, times the growth that algorithms add.",
    "exponent": "The power in a power law: an exponent of −0.3 in data means that twice the data leaves 2 "
    "to the power −0.3 = 81 % of the reducible error.",
    "FLOP": "One floating-point operation, the unit of computation. Training compute counts all of them.",
    "frontier": "The best that a budget can buy: the split between model size and data with the lowest loss.",
    "halving time": "Time in which the compute needed for a set performance falls to one half.",
    "hand-picked": "Chosen by people for their own reasons. Such rows can show that something exists, not "
    "how common it is.",
    "hull": "The best mix of single models at each cost: using two of them in turn reaches every point "
    "between them.",
    "interval": "A range given with a level, usually 95 %: ranges made this way would cover the true value "
    "that often, if the model's assumptions hold.",
    "irreducible": "The loss that no amount of data, size or compute removes under a law; the rest is "
    "reducible.",
    "leave-one-dataset-out": "Judging a router on a benchmark none of whose prompts it has seen.",
    "lowering": "Translating a function for a device without running it. What cannot be lowered cannot run "
    "there.",
    "nats": "Unit of information with base e; one nat is 1.44 bits. Losses are in nats per token.",
    "not identified": "The evidence fits very different values equally well, or there is none. It is a "
    "result, not an error.",
    "oracle": "A chooser that knows the answers beforehand: no router can do better.",
    "penalty": "A term added to a fit's loss that pulls weakly supported parameters towards zero.",
    "perplexity": "e to the power of the loss: the number of equally likely next tokens that would be as "
    "hard to predict.",
    "router": "A rule that picks one model for each task or prompt.",
    "Shapley value": "A fair division of a joint effect among its parts: each one's contribution, averaged "
    "over all orders of adding them.",
    "slow-down": "How many times as long the same function takes on another device or in another mode.",
    "specification curve": "The headline number under every defensible choice of rows, model and settings, "
    "side by side.",
    "tokens": "Pieces of text that a model reads, about three quarters of an English word each.",
    "waterfall": "The list of rules that removed rows, with how many rows each left.",
}


def terms_in(text: str) -> list[tuple[str, str]]:
    """Return the terms that occur in lower-case `text`, with their meanings, in order.

    Examples
    --------
    >>> [term for term, _ in terms_in("the halving time in months, by bootstrap")]
    ['bootstrap', 'halving time']
    """
    return [(term, meaning) for term, meaning in GLOSSARY.items() if _key(term) in text]


def _key(term: str) -> str:
    return term.lower().removesuffix(" value")
