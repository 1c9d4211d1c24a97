"""Questions about letters, words and truth values."""

from __future__ import annotations

import random

from examples.routing_measurement.items import Question, pick
from examples.routing_measurement.words import COMMON


def sorting(draw: random.Random, level: int) -> Question:
    """Ask for words or numbers in order."""
    size = (3, 4, 6)[level]
    if draw.random() < 0.5:
        words = draw.sample(COMMON, size)
        shape = pick(
            draw, ("Sort these words alphabetically: {r}", "Put the words in alphabetical order: {r}")
        )
        return Question(prompt=shape.format(r=", ".join(words)), answer=", ".join(sorted(words)), kind="list")
    numbers = draw.sample(range(1, (20, 100, 1000)[level]), size)
    down = draw.random() < 0.4
    shape = pick(draw, ("Sort these numbers from {o}: {r}", "Order from {o}: {r}"))
    order = "largest to smallest" if down else "smallest to largest"
    ordered = ", ".join(map(str, sorted(numbers, reverse=down)))
    return Question(prompt=shape.format(o=order, r=", ".join(map(str, numbers))), answer=ordered, kind="list")


def letters(draw: random.Random, level: int) -> Question:
    """Ask for letters of a word: backwards, counted, first, last."""
    word = pick(draw, [w for w in COMMON if (3, 5, 7)[level] <= len(w) <= (5, 7, 12)[level]])
    letter = pick(draw, word)
    tasks = (
        (f"What is the first letter of the word '{word}'?", word[0], "text"),
        (f"What is the last letter of the word '{word}'?", word[-1], "text"),
        (f"How many letters are in the word '{word}'?", str(len(word)), "number"),
        (f"Write the word '{word}' backwards.", word[::-1], "text"),
        (f"Reverse the letters of '{word}'.", word[::-1], "text"),
        (f"How many times does the letter '{letter}' occur in '{word}'?", str(word.count(letter)), "number"),
    )
    prompt, answer, kind = tasks[draw.randrange((4, 5, 6)[level])]
    return Question(prompt=prompt, answer=answer, kind="number" if kind == "number" else "text")


_ANIMALS = ("cats", "dogs", "whales", "owls", "tigers", "horses", "frogs", "bees")
_GROUPS = ("animals", "living things", "dancers", "painters", "swimmers", "robots")
_WHO = ("Tom", "Mia", "Rex", "Zoe", "Max", "Ida")


def logic(draw: random.Random, level: int) -> Question:
    """Ask whether a formula or a conclusion is true."""
    if draw.random() < 0.5:
        formula, true = _formula(draw, level)
        shape = pick(
            draw,
            ("Is this true or false: {f}?", "Evaluate the boolean expression {f}. Answer true or false."),
        )
        return Question(
            prompt=shape.format(f=formula),
            answer="true" if true else "false",
            kind="choice",
            choices=("true", "false"),
        )
    kind, group = pick(draw, _ANIMALS), pick(draw, _GROUPS)
    who, thing = pick(draw, _WHO), kind[:-1]
    if level == 0 or draw.random() < 0.5:
        told, answer = f"All {kind} are {group}. {who} is one of the {kind}.", "yes"
    else:
        told, answer = f"No {kind} are {group}. {who} is one of the {kind}.", "no"
    if level == 2 and draw.random() < 0.5:
        told = f"Every {thing} is kind. {told} Nobody kind is late."
    return Question(
        prompt=f"{told} Is {who} one of the {group}? Answer yes or no.",
        answer=answer,
        kind="choice",
        choices=("yes", "no"),
    )


def _formula(draw: random.Random, level: int) -> tuple[str, bool]:
    """Return a formula of two, three or four truth values, and what it comes to."""
    terms = []
    for _ in range(4):
        value, negated = draw.random() < 0.5, draw.random() < 0.3 * level
        terms.append((f"{'not ' if negated else ''}{str(value).lower()}", value != negated))
    pair = _joined(draw, terms[0], terms[1])
    if level == 0:
        return pair
    left = f"({pair[0]})", pair[1]
    if level == 1:
        return _joined(draw, left, terms[2])
    right = _joined(draw, terms[2], terms[3])
    return _joined(draw, left, (f"not ({right[0]})", not right[1]))


def _joined(draw: random.Random, left: tuple[str, bool], right: tuple[str, bool]) -> tuple[str, bool]:
    if draw.random() < 0.5:
        return f"{left[0]} and {right[0]}", left[1] and right[1]
    return f"{left[0]} or {right[0]}", left[1] or right[1]
