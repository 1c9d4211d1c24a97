"""Questions about words and the world: facts, translation, opposites, spelling, tone and topic."""

from __future__ import annotations

import random

from examples.routing_measurement.items import Question, pick
from examples.routing_measurement.words import (
    ANTONYMS,
    CAPITALS,
    FACTS,
    LANGUAGES,
    NEGATIVE,
    POSITIVE,
    SPELLING,
    TOPICS,
    TRANSLATIONS,
)


def facts(draw: random.Random, level: int) -> Question:
    """Ask for a capital, its country or a number that one knows."""
    if level == 1 and draw.random() < 0.5:
        asked = pick(draw, tuple(FACTS))
        return Question(prompt=asked, answer=FACTS[asked], kind="number", key=asked)
    country = pick(draw, tuple(CAPITALS))
    city = CAPITALS[country]
    if draw.random() < 0.3:
        shape = pick(draw, ("Which country has the capital {c}?", "{c} is the capital of which country?"))
        return Question(prompt=shape.format(c=city), answer=country, kind="text", key=country)
    shape = pick(
        draw,
        ("What is the capital of {n}?", "Name the capital city of {n}.", "The capital of {n} is"),
    )
    return Question(prompt=shape.format(n=country), answer=city, kind="text", key=country)


def antonyms(draw: random.Random, level: int) -> Question:  # noqa: ARG001
    """Ask for the opposite of a word."""
    word = pick(draw, tuple(ANTONYMS))
    shape = pick(
        draw,
        (
            "What is the opposite of '{w}'?",
            "Give an antonym of {w}.",
            "Write one word that means the opposite of '{w}'.",
        ),
    )
    return Question(prompt=shape.format(w=word), answer=ANTONYMS[word], kind="text", key=word)


def translation(draw: random.Random, level: int) -> Question:  # noqa: ARG001
    """Ask for a common word in another language."""
    word, language = pick(draw, tuple(TRANSLATIONS)), draw.randrange(len(LANGUAGES))
    shape = pick(
        draw,
        (
            "Translate the word '{w}' into {l}.",
            "What is the {l} word for {w}?",
            "How do you say '{w}' in {l}?",
        ),
    )
    name = LANGUAGES[language]
    return Question(
        prompt=shape.format(w=word, l=name),
        answer=TRANSLATIONS[word][language],
        kind="text",
        key=f"{word} {name}",
    )


def spelling(draw: random.Random, level: int) -> Question:
    """Ask for the right spelling of a misspelt word."""
    word = pick(draw, SPELLING)
    wrong = word
    while wrong == word:
        for _ in range(1 + (level == 2)):
            wrong = _misspelt(draw, wrong)
    shape = pick(
        draw,
        (
            "Correct the spelling: {w}",
            "The word '{w}' is misspelt. Write it correctly.",
            "Fix the typo in '{w}'.",
        ),
    )
    return Question(prompt=shape.format(w=wrong), answer=word, kind="text", key=word)


def _misspelt(draw: random.Random, word: str) -> str:
    at = draw.randrange(1, len(word) - 1)
    return pick(
        draw,
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + pick(draw, "aeiou") + word[at + 1 :],
        ),
    )


def sentiment(draw: random.Random, level: int) -> Question:  # noqa: ARG001
    """Ask whether a review is positive or negative."""
    good = draw.random() < 0.5
    said = pick(draw, POSITIVE if good else NEGATIVE)
    shape = pick(
        draw,
        (
            "Is this review positive or negative? {s}",
            "Classify the sentiment as positive or negative: {s}",
            "Review: {s} Was the customer's tone positive or negative?",
        ),
    )
    return Question(
        prompt=shape.format(s=said),
        answer="positive" if good else "negative",
        kind="choice",
        choices=("positive", "negative"),
        key=said,
    )


def topics(draw: random.Random, level: int) -> Question:  # noqa: ARG001
    """Ask which of five subjects a sentence is about."""
    topic = pick(draw, tuple(TOPICS))
    said = pick(draw, TOPICS[topic])
    shape = pick(
        draw,
        (
            "Which topic fits this sentence: {t}? {s}",
            "{s} Is this about {t}?",
            "Label the sentence with one of {t}: {s}",
        ),
    )
    listed = ", ".join(tuple(TOPICS)[:-1]) + f" or {tuple(TOPICS)[-1]}"
    return Question(
        prompt=shape.format(s=said, t=listed), answer=topic, kind="choice", choices=tuple(TOPICS), key=said
    )
