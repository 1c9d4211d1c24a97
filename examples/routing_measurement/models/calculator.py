"""A program with rules for numbers: it computes where it recognises the form, and guesses elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise

from examples.routing_measurement.models.model import Reply, in_words

FACTORS = {
    ("kilometres", "metres"): 1000, ("metres", "centimetres"): 100, ("hours", "minutes"): 60,
    ("minutes", "seconds"): 60, ("kilograms", "grams"): 1000, ("days", "hours"): 24, ("weeks", "days"): 7,
    ("litres", "millilitres"): 1000,
}  # fmt: skip
_EXPRESSION = re.compile(r"-?\d+(?: *[-+*/%] *\d+)+")
_WORDS = {" plus ": " + ", " minus ": " - ", " times ": " * ", " divided by ": " / "}
RULES = len(FACTORS) + 8
"""Unit factors, four operations, remainder, two kinds of sequence and the guess."""


def load() -> Callable[[str], Reply]:
    """Return the program's answer function."""
    return lambda prompt: in_words(prompt, _answer(prompt))


def _answer(prompt: str) -> str:
    text = prompt
    for word, sign in _WORDS.items():
        text = text.replace(word, sign)
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    if found := _EXPRESSION.search(text):
        return _shown(_value(found.group()))
    if len(numbers) >= 4 and ("series" in text or "sequence" in text or "next" in text):
        return _shown(_next(numbers))
    if numbers:
        for (large, small), factor in FACTORS.items():
            if large in text and small in text:
                down = re.search(rf"\d+ {large}", text)
                return _shown(Fraction(numbers[0]) * factor if down else Fraction(numbers[0], factor))
    return str(numbers[0]) if numbers else "unknown"


def _value(expression: str) -> Fraction:
    """Return the value of a chain of operations, products before sums."""
    parts = re.findall(r"\d+|[-+*/%]", expression)
    negative = parts[0] == "-"
    sums, sign = [Fraction(int(parts[negative])) * (-1 if negative else 1)], ""
    for part in parts[1 + negative :]:
        if not part.isdigit():
            sign = part
        elif sign in "+-":
            sums.append(Fraction(int(part)) * (-1 if sign == "-" else 1))
        elif sign == "*":
            sums[-1] *= int(part)
        elif int(part) == 0:
            return Fraction(0)
        else:
            sums[-1] = sums[-1] / int(part) if sign == "/" else sums[-1] % int(part)
    return sum(sums, Fraction(0))


def _next(row: list[int]) -> Fraction:
    """Return the next member of a geometric sequence, else one more equal step."""
    steps = [b - a for a, b in pairwise(row)]
    if len(set(steps)) > 1 and row[0] and len({Fraction(b, a) for a, b in pairwise(row) if a}) == 1:
        return row[-1] * Fraction(row[1], row[0])
    return Fraction(row[-1] + steps[-1])


def _shown(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"
