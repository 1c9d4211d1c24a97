"""A curve in words: its range, what every choice agrees on, and which choice moves it most."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from typing import Any

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
    """Return the choice whose settings' medians lie furthest apart, with both of them; JSON-ready."""
    best: dict[str, Any] | None = None
    rows = by_setting(curve)
    for choice in CHOICE_WORDS:
        settings = sorted((row for row in rows if row["choice"] == choice), key=lambda row: row["median"])
        if len(settings) < 2:
            continue
        low, high = settings[0], settings[-1]
        apart = high["median"] - low["median"]
        if best is None or apart > best["apart"]:
            best = {
                "choice": choice,
                "apart": apart,
                "lowest_setting": low["setting"],
                "lowest_median": low["median"],
                "highest_setting": high["setting"],
                "highest_median": high["median"],
            }
    return best


def moved_most(curve: Curve) -> str:
    """Return which choice moves a headline most, in a sentence; empty where no choice varies."""
    best = strongest(curve)
    if best is None or best["apart"] == 0:
        return ""
    low, high = (shown(curve.headline, best[f"{end}_median"]) for end in ("lowest", "highest"))
    return (
        f"What moves it most is the {CHOICE_WORDS[best['choice']]}: the median is {low} under "
        f"{_plain(best['lowest_setting'])} and {high} under {_plain(best['highest_setting'])}."
    )


def _plain(setting: str) -> str:
    return f"“{setting.replace('_', ' ')}”"


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
    # The default rule has the shortest text, and each further policy adds to it.
    return {
        choice: tuple(sorted(settings, key=lambda text: (len(text) if choice == "rule" else 0, text)))
        for choice, settings in found.items()
        if len(settings) > 1
    }
