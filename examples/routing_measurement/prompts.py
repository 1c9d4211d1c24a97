"""The set of prompts, and further items of the same families for the models that the project trains.

Everything follows from `SEED`: the same seed gives the same prompts on every machine.
"""

from __future__ import annotations

import hashlib
import random

from examples.routing_measurement import knowledge, numeric, strings
from examples.routing_measurement.items import Family, Item, Question

SEED = 20261123
PER_FAMILY = 36

FAMILIES = (
    Family(name="arithmetic", make=numeric.arithmetic),
    Family(name="word_arithmetic", make=numeric.word_arithmetic),
    Family(name="dates", make=numeric.dates),
    Family(name="unit_conversion", make=numeric.unit_conversion),
    Family(name="patterns", make=numeric.patterns),
    Family(name="code_output", make=numeric.code_output),
    Family(name="sorting", make=strings.sorting),
    Family(name="letters", make=strings.letters),
    Family(name="logic", make=strings.logic),
    Family(name="facts", make=knowledge.facts, seen_share=0.6),
    Family(name="antonyms", make=knowledge.antonyms, seen_share=0.5),
    Family(name="translation", make=knowledge.translation, seen_share=0.5),
    Family(name="spelling", make=knowledge.spelling, seen_share=0.5),
    Family(name="sentiment", make=knowledge.sentiment, seen_share=0.0),
    Family(name="topics", make=knowledge.topics, seen_share=0.0),
)


def measured_items() -> tuple[Item, ...]:
    """Return the prompts that were measured: `PER_FAMILY` of each family, all different."""
    drawn = [(family.name, question) for family in FAMILIES for question in _drawn(family)]
    return tuple(
        Item(family=name, instance_id=f"q{at:03d}", question=question)
        for at, (name, question) in enumerate(drawn)
    )


def _drawn(family: Family) -> list[Question]:
    draw = random.Random(f"{SEED} {family.name} measured")
    found: dict[str, Question] = {}
    while len(found) < PER_FAMILY:
        question = family.make(draw, len(found) % 3)
        found.setdefault(question.key or question.prompt, question)
    return list(found.values())


def training_items(per_family: int) -> tuple[Item, ...]:
    """Return items to train on: none is measured, and only a share of what is asked for may be known.

    Parameters
    ----------
    per_family : int
        Draws of each family; repeated ones are kept once.
    """
    items: list[Item] = []
    for family in FAMILIES:
        measured = _drawn(family)
        texts = {question.prompt for question in measured}
        keys = {question.key for question in measured if question.key}
        draw = random.Random(f"{SEED} {family.name} training")
        found: dict[str, Question] = {}
        for at in range(per_family):
            question = family.make(draw, at % 3)
            unknown = question.key in keys and not _seen(question.key, family.seen_share)
            if question.prompt not in texts and not unknown:
                found.setdefault(question.prompt, question)
        items.extend(
            Item(family=family.name, instance_id=f"{family.name}-t{at}", question=question)
            for at, question in enumerate(found.values())
        )
    return tuple(items)


def _seen(key: str, share: float) -> bool:
    return hashlib.sha256(key.encode()).digest()[0] < 256 * share
