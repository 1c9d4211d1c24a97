"""Questions about numbers: sums, stories, dates, units, sequences and short programs."""

from __future__ import annotations

import datetime
import random

from examples.routing_measurement.items import Question, pick

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
NAMES = ("Anna", "Ben", "Chloe", "David", "Emma", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Kim", "Lena")
THINGS = ("apples", "books", "coins", "marbles", "stamps", "cards", "shells", "pencils", "eggs", "tickets")


def _range(draw: random.Random, level: int, highs: tuple[int, int, int]) -> int:
    return draw.randrange(2 if level == 0 else highs[level - 1], highs[level])


def _number(prompt: str, answer: int | str) -> Question:
    return Question(prompt=prompt, answer=str(answer), kind="number")


def arithmetic(draw: random.Random, level: int) -> Question:
    """Ask for a sum, difference, product or quotient."""
    sign = pick(draw, ("+", "-", "*", "/"))
    a, b = _range(draw, level, (10, 100, 5000)), _range(draw, level, (10, 40, 400))
    if sign == "*":
        b = _range(draw, min(level, 1), (10, 25, 25))
    elif sign == "/":
        b = _range(draw, min(level, 1), (10, 25, 25))
        a *= b
    answer = {"+": a + b, "-": a - b, "*": a * b, "/": a // b}[sign]
    words = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}[sign]
    shape = pick(
        draw,
        ("What is {a} {s} {b}?", "Calculate {a} {s} {b}.", "{a} {s} {b} =", "How much is {a} {w} {b}?"),
    )
    return _number(shape.format(a=a, b=b, s=sign, w=words), answer)


def word_arithmetic(draw: random.Random, level: int) -> Question:
    """Ask for the number at the end of a story."""
    who, other = draw.sample(NAMES, 2)
    what = pick(draw, THINGS)
    a, b = _range(draw, level, (12, 60, 400)), _range(draw, min(level, 1), (10, 40, 40))
    c = _range(draw, 0, (6, 6, 6))
    stories = (
        (f"{who} has {a} {what} and buys {b} more. How many {what} does {who} have now?", a + b),
        (f"{who} had {a + b} {what} and gave {b} of them to {other}. How many {what} are left?", a),
        (f"There are {b} boxes with {c} {what} in each. How many {what} are there in all?", b * c),
        (f"{b * c} {what} are shared equally among {c} friends. How many does each friend get?", b),
        (
            f"{who} has {a} {what}. {other} has {b} more {what} than {who}. How many do they have together?",
            2 * a + b,
        ),
        (
            f"A shop sells {what} in packs of {c}. {who} buys {b} packs and loses 3 {what}. "
            f"How many {what} remain?",
            b * c - 3,
        ),
    )
    story, answer = stories[draw.randrange(4) if level < 2 else draw.randrange(len(stories))]
    return _number(story, answer)


def dates(draw: random.Random, level: int) -> Question:
    """Ask for a weekday, a month, a date or a time some steps away."""
    steps = _range(draw, level, (6, 12, 60))
    if level == 0 or draw.random() < 0.3:
        start = draw.randrange(7)
        shape = pick(
            draw,
            (
                "Today is {d}. What day of the week is it in {n} days?",
                "Which weekday comes {n} days after {d}?",
            ),
        )
        days = tuple(day.casefold() for day in DAYS)
        return Question(
            prompt=shape.format(d=DAYS[start], n=steps),
            answer=days[(start + steps) % 7],
            kind="choice",
            choices=days,
        )
    if draw.random() < 0.35:
        hour, minute = draw.randrange(1, 20), 5 * draw.randrange(12)
        later = datetime.datetime(2024, 1, 1, hour, minute) + datetime.timedelta(minutes=5 * steps)
        prompt = (
            f"A train leaves at {hour:02d}:{minute:02d} and travels {5 * steps} minutes. "
            "At what time does it arrive? Answer as HH:MM."
        )
        return Question(prompt=prompt, answer=f"{later:%H:%M}", kind="text")
    day = datetime.date(2023, 1, 1) + datetime.timedelta(days=draw.randrange(900))
    prompt = f"What is the date {steps} days after {day.isoformat()}? Answer as YYYY-MM-DD."
    return Question(prompt=prompt, answer=(day + datetime.timedelta(days=steps)).isoformat(), kind="text")


UNITS = (
    ("kilometres", "metres", 1000), ("metres", "centimetres", 100), ("hours", "minutes", 60),
    ("minutes", "seconds", 60), ("kilograms", "grams", 1000), ("days", "hours", 24),
    ("weeks", "days", 7), ("feet", "inches", 12), ("litres", "millilitres", 1000), ("yards", "feet", 3),
    ("dozens", "pieces", 12), ("centuries", "years", 100),
)  # fmt: skip


def unit_conversion(draw: random.Random, level: int) -> Question:
    """Ask for a quantity in another unit."""
    large, small, factor = UNITS[draw.randrange(len(UNITS))]
    n = _range(draw, level, (10, 40, 300))
    if draw.random() < 0.6:
        shape = pick(
            draw, ("How many {s} are in {n} {l}?", "Convert {n} {l} to {s}.", "{n} {l} is how many {s}?")
        )
        return _number(shape.format(s=small, n=n, l=large), n * factor)
    shape = pick(draw, ("How many {l} are {n} {s}?", "Convert {n} {s} to {l}."))
    return _number(shape.format(s=small, n=n * factor, l=large), n)


def patterns(draw: random.Random, level: int) -> Question:
    """Ask for the next member of a sequence."""
    first, step = draw.randrange(1, 12), _range(draw, min(level, 1), (6, 15, 15))
    rows = (
        [first + step * i for i in range(6)],
        [first + 60 - step * i for i in range(6)],
        [first * (2 + level // 2) ** i for i in range(6)],
        [(first + i) ** 2 for i in range(6)],
        [first + i * (i + 1) // 2 * step for i in range(6)],
    )
    row = rows[draw.randrange((2, 3, 5)[level])]
    shown = ", ".join(map(str, row[:5]))
    shape = pick(
        draw,
        (
            "What number comes next: {r}, ...?",
            "Continue the sequence: {r},",
            "Find the next number in the series {r}.",
        ),
    )
    return _number(shape.format(r=shown), row[5])


def code_output(draw: random.Random, level: int) -> Question:
    """Ask what a line of Python prints."""
    a, b, c = (_range(draw, min(level, 1), (9, 20, 20)) for _ in range(3))
    word = pick(draw, ("river", "table", "cloud", "piano", "garden", "window", "silver", "planet"))
    programs = (
        (f"print({a} + {b} * {c})", a + b * c),
        (f"x = {a}; x = x + {b}; print(x)", a + b),
        (f"print(len('{word}') + {a})", len(word) + a),
        (f"print(max({a}, {b}, {c}))", max(a, b, c)),
        (f"print(sum([{a}, {b}, {c}]))", a + b + c),
        (f"print({a * b + c} % {b})", (a * b + c) % b),
        (f"print(sum(range({b % 9 + 2})) * {a})", sum(range(b % 9 + 2)) * a),
    )
    program, answer = programs[draw.randrange((4, 5, 7)[level])]
    shape = pick(draw, ("What does this Python code print?\n{p}", "Give the output of this program: {p}"))
    return _number(shape.format(p=program), answer)
