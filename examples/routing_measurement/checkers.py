"""Is an answer right? Exact match, after taking the answer out of the sentence around it.

The rule depends on the kind of the question and is the same for every model:

number  the first number of the first line (after its last "=", where there is one) equals the reference
choice  exactly one of the allowed words occurs in the first line, and it is the reference
text    the first line is the reference, or ends with it as whole words
list    the first line, or what follows its last colon or "are", holds the items of the reference in their
        order, and nothing else
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from examples.routing_measurement.items import Question

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_LEAD = re.compile(r"^(?:the )?(?:final |correct )?(?:answer|output|result)(?: is)?\s*:?\s*")


def normalise(answer: str) -> str:
    """Return the first line that is not blank, in lower case, without quotes and outer punctuation.

    Examples
    --------
    >>> normalise('\\n "Paris." \\nParis is a city.')
    'paris'
    """
    lines = [line for line in unicodedata.normalize("NFKC", answer).splitlines() if line.strip()]
    line = re.sub(r"[\"'`*’‘“”]", "", lines[0].casefold()) if lines else ""
    return _LEAD.sub("", " ".join(line.split()).strip(" .,;:!?")).strip(" .,;:!?")


def is_right(question: Question, answer: str) -> bool:
    """Return whether an answer is right.

    Examples
    --------
    >>> is_right(Question(prompt="2 + 3?", answer="5", kind="number"), "2 + 3 = 5.")
    True
    >>> is_right(Question(prompt="Capital of France?", answer="Paris", kind="text"), "It is not Rome.")
    False
    """
    given, wanted = normalise(answer), normalise(question.answer)
    if question.kind == "number":
        return _first_number(given) == _first_number(wanted)
    if question.kind == "choice":
        named = [word for word in question.choices if re.search(rf"\b{re.escape(word)}\b", given)]
        return named == [question.answer]
    if question.kind == "list":
        return _parts(given) == _parts(wanted)
    return given == wanted or given.endswith(f" {wanted}")


def _first_number(line: str) -> Fraction | None:
    after = re.sub(r"(?<=\d),(?=\d{3}\b)", "", line.rsplit("=", 1)[-1])
    found = _NUMBER.search(after)
    return Fraction(found.group()) if found else None


def _parts(line: str) -> list[str]:
    """Return the items of a list, commas, brackets and "and" aside."""
    told = re.split(r":|\bare\b", line)[-1]
    return [part for part in re.split(r"[,;\s]+", re.sub(r"[\[\]()]|\band\b", " ", told)) if part]
