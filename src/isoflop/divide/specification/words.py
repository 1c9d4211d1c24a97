"""A curve in words: its range, what every choice agrees on, and which choice moves it most."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from itertools import combinations
from typing import Any

from isoflop.divide.large import LARGE
from isoflop.divide.specification.curve import Curve
from isoflop.divide.specification.grid import UNITS, Headline
from isoflop.present import formats

CHOICES = (
    "snapshot",
    "filter",
    "rule",
    "large",
    "period",
    "since",
    "collaboration",
    "year",
    "interval",
)
"""Columns that name settings, in the order they are shown."""
CHOICE_WORDS = {
    "snapshot": "edition of the table",
    "filter": "filter",
    "rule": "rule of teams",
    "large": "definition of large",
    "period": "periods",
    "since": "first year",
    "collaboration": "place of collaborations",
    "year": "year of the gap",
}
SETTING_WORDS = {
    "notable_not_deployed": "notable, and not for deployment alone",
    "none": "all systems",
    "by_organisation": "by organisation",
    "wilson": "Wilson",
    **{name: large.text for name, large in LARGE.items()},
}
NEARLY_EVERY = 0.95


def shown(headline: Headline, value: float | None) -> str:
    """Return a value of a headline as it is read.

    Examples
    --------
    >>> shown("academia_share_last", 0.135), shown("doubling_time_months", 5.9)
    ('14 %', '5.90 months')
    """
    if value is None:
        return formats.MISSING
    if headline == "academia_share_change":
        return f"{formats.difference(100 * value, 0)} points"
    return formats.percent(value) if UNITS[headline] == "1" else formats.quantity(value, UNITS[headline])


def spread(curve: Curve) -> str:
    """Return the lowest and the highest value of a curve, the unit once."""
    low, high = shown(curve.headline, curve.values[0]), shown(curve.headline, curve.values[-1])
    unit = f" {low.split(' ', 1)[-1]}"
    return f"{low.removesuffix(unit)} to {high}" if high.endswith(unit) else f"{low} to {high}"


def sentence(curve: Curve) -> str:
    """Return number of specifications, range, median and what the joint test says."""
    name, values = curve.headline, curve.values
    text = (
        f"{formats.count(len(values))} specifications give {spread(curve)}, median "
        f"{shown(name, curve.median)}"
    )
    if curve.joint is not None and curve.joint.p is not None:
        text += f"; joint p = {formats.number(curve.joint.p, 2)} (null: {curve.null})"
    return text


def direction(curve: Curve) -> str:
    """Return whether the choices agree on the side of the null; empty where nothing could differ."""
    same = curve.same_sign
    if same is None:
        return ""
    if same == 1:
        return "Every choice gives the same direction."
    if same >= NEARLY_EVERY:
        return f"Nearly every choice gives the same direction ({formats.percent(same, 1)})."
    return f"The direction depends on the choice: {formats.percent(same)} go one way."


def strongest(curve: Curve) -> dict[str, Any] | None:
    """Return the choice that moves a headline most when nothing else is changed; JSON-ready.

    Specifications that differ in one choice alone are compared pair by pair, because some settings exist in
    some editions only; ``change`` is the median over those pairs.
    """
    best: dict[str, Any] | None = None
    for choice in CHOICE_WORDS:
        alike: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
        for one in curve.specifications:
            if one.value is not None and choice in one.settings:
                rest = tuple((name, setting) for name, setting in one.settings.items() if name != choice)
                alike.setdefault(rest, {})[one.settings[choice]] = one.value
        settings = sorted({setting for group in alike.values() for setting in group}, key=_plainest)
        for before, after in combinations(settings, 2):
            moves = [
                group[after] - group[before] for group in alike.values() if {before, after} <= set(group)
            ]
            if moves and (best is None or abs(statistics.median(moves)) > abs(best["change"])):
                best = {
                    "choice": choice,
                    "from": before,
                    "to": after,
                    "change": statistics.median(moves),
                    "pairs": len(moves),
                }
    return best


def moved_most(curve: Curve) -> str:
    """Return which choice moves a headline most, in a sentence; empty where none does."""
    best = strongest(curve)
    if best is None or best["change"] == 0:
        return ""
    change = best["change"]
    unit = UNITS[curve.headline]
    size = (
        f"{formats.difference(100 * change, 0)} points"
        if unit == "1"
        else f"{formats.difference(change, 2)} {unit}"
    )
    return (
        f"With all else the same, what moves it most is the {CHOICE_WORDS[best['choice']]}: from "
        f"“{setting_words(best['from'])}” to “{setting_words(best['to'])}” it changes by {size} (median of "
        f"{formats.count(best['pairs'])} pairs)."
    )


def _plainest(setting: str) -> tuple[int, str]:
    """Order settings: the default rule has the shortest text, and each further policy adds to it."""
    return (len(setting) if setting.startswith("teams") else 0, setting)


def setting_words(setting: str) -> str:
    """Return a setting as it reads on the page.

    Examples
    --------
    >>> setting_words("above_trend"), setting_words("teams by organisation, strict")
    ('above the linear trend', 'strict')
    """
    plain = setting.removeprefix("teams by organisation, ")
    return SETTING_WORDS.get(plain, plain.replace("_", " "))


def by_setting(curve: Curve) -> list[dict[str, Any]]:
    """Return the median and range under each setting of each choice, JSON-ready."""
    rows = []
    for choice in CHOICES:
        groups: dict[str, list[float]] = {}
        for one in curve.specifications:
            if one.value is not None and choice in one.settings:
                groups.setdefault(one.settings[choice], []).append(one.value)
        for setting, values in groups.items():
            rows.append(
                {
                    "headline": curve.headline,
                    "choice": choice,
                    "setting": setting,
                    "n_specifications": len(values),
                    "median": statistics.median(values),
                    "lowest": min(values),
                    "highest": max(values),
                }
            )
    return rows


def settings_of(curve: Curve) -> Mapping[str, tuple[str, ...]]:
    """Return the settings of each choice that varies in a curve, plainest first."""
    found: dict[str, dict[str, None]] = {}
    for choice in CHOICES:
        for one in curve.specifications:
            if choice in one.settings:
                found.setdefault(choice, {})[one.settings[choice]] = None
    return {
        choice: tuple(sorted(settings, key=_plainest))
        for choice, settings in found.items()
        if len(settings) > 1
    }
