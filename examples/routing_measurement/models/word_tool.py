"""A program with rules for words, the sentiment lexicon VADER and the dictionary of pyspellchecker."""

from __future__ import annotations

import re
from collections.abc import Callable

from examples.routing_measurement.models.model import Reply, in_words

_QUOTED = re.compile(r"'([^']+)'")
_TWO = 2
ENTRIES = 160_572 + 7_506
"""Words of the dictionary and of the lexicon."""


def load() -> Callable[[str], Reply]:
    """Return the program's answer function."""
    from spellchecker import SpellChecker
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    dictionary, tone = SpellChecker(), SentimentIntensityAnalyzer()

    def answer_to(prompt: str) -> Reply:
        low, quoted = prompt.casefold(), _QUOTED.findall(prompt)
        if "positive or negative" in low:
            said = re.sub(r"[^.?!:]*positive or negative[^.?!:]*[?:]|Review:", "", prompt)
            return in_words(prompt, "positive" if tone.polarity_scores(said)["compound"] >= 0 else "negative")
        if "spel" in low or "typo" in low:
            word = quoted[0] if quoted else prompt.rsplit(" ", 1)[-1]
            return in_words(prompt, dictionary.correction(word) or word)
        return in_words(prompt, _letters(low, quoted) or _ordered(prompt) or prompt.split()[-1].strip(".?"))

    return answer_to


def _letters(low: str, quoted: list[str]) -> str:
    if not quoted:
        return ""
    word = quoted[-1]
    rules = (
        ("backwards", word[::-1]),
        ("reverse the letters", word[::-1]),
        ("first letter", word[0]),
        ("last letter", word[-1]),
        ("how many letters", str(len(word))),
        ("how many times", str(word.count(quoted[0]))),
    )
    return next((answer for cue, answer in rules if cue in low), "")


def _ordered(prompt: str) -> str:
    """Return the words after a colon in alphabetical order; numbers are words to it."""
    head, _, tail = prompt.partition(":")
    words = [word.strip() for word in tail.split(",")]
    asked = any(cue in head for cue in ("Sort", "order", "Order"))
    return ", ".join(sorted(words)) if asked and len(words) > _TWO else ""
