"""Number formats used everywhere: page, console, picture titles and prose.

Digits follow the uncertainty: an interval decides how many decimals its value deserves, and
both ends carry the same number. A missing number is said in words, never shown as 0 or nan.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from isoflop.findings import Estimate, Finding

MINUS = "\N{MINUS SIGN}"
MISSING = "not identified"
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_PLAIN = (1e-4, 1e7)
"""Magnitudes written out; outside them the power of ten is shown."""
_ROUNDED = 1e4
"""From here on digits beyond the significant ones are noise to the eye."""


def power_of_ten(exponent: int) -> str:
    """Return 10 to an integer power in type.

    Examples
    --------
    >>> power_of_ten(23)
    '10²³'
    """
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def number(value: float, digits: int = 3) -> str:
    """Return `value` with `digits` significant digits, grouped, with a true minus sign.

    Integers below ten million are written in full; from ten thousand on other numbers end in zeros.

    Examples
    --------
    >>> number(0.0518129), number(1234.5), number(239), number(-2.0), number(5.88e23)
    ('0.0518', '1,234', '239', '−2', '5.88×10²³')
    >>> number(41650.7), number(6857859.2)
    ('41,700', '6,860,000')
    """
    size = abs(value)
    if not math.isfinite(value):
        return MISSING
    if size and not _PLAIN[0] <= size < _PLAIN[1]:
        # Formatting, not division: ten to the power of a subnormal number's exponent is 0.
        lead, _, tail = f"{size:.{digits - 1}e}".partition("e")
        mantissa, exponent = float(lead), int(tail)
        power = power_of_ten(exponent)
        return _signed(value, power if mantissa == 1.0 else f"{mantissa:.{digits - 1}f}×{power}")
    if float(value).is_integer():
        return _signed(value, f"{size:,.0f}")
    if size >= _ROUNDED:
        size = round(size, digits - 1 - math.floor(math.log10(size)))
    return _signed(value, f"{size:,.{_decimals(size, digits)}f}")


def fixed(value: float, decimals: int) -> str:
    """Return `value` with a set number of decimals; powers of ten as in `number`.

    Examples
    --------
    >>> fixed(8.0, 1), fixed(-0.04, 1)
    ('8.0', '0.0')
    """
    size = abs(value)
    if 0 < size < _PLAIN[0] or (size >= _PLAIN[1] and decimals <= 6):
        return number(value)
    if decimals == 0 and size >= _ROUNDED:
        return number(value)
    text = f"{size:,.{decimals}f}"
    return _signed(value, text) if text.strip("0.,") else text


def difference(value: float, decimals: int = 3) -> str:
    """Return a difference with its sign and a set number of decimals.

    Examples
    --------
    >>> difference(-0.0012), difference(0.25, 2)
    ('−0.001', '+0.25')
    """
    text = f"{abs(value):.{decimals}f}"
    return text if not text.strip("0.") else (MINUS if value < 0 else "+") + text


def percent(share: float, decimals: int | None = None) -> str:
    """Return a share as a percentage.

    Examples
    --------
    >>> percent(0.81), percent(0.0421), percent(1.0)
    ('81 %', '4.2 %', '100 %')
    """
    value = 100.0 * share
    if decimals is None:
        decimals = 0 if abs(value) >= 9.95 or value == 0 else 1
    return f"{_signed(round(value, decimals), f'{abs(value):,.{decimals}f}')} %"


def points(change: float) -> str:
    """Return a difference of two shares in percentage points, with its sign and without the word.

    Examples
    --------
    >>> points(-0.353), points(-0.0931), points(0.0)
    ('−35', '−9.3', '0')
    """
    value = 100.0 * change
    return difference(value, 0 if abs(value) >= 9.95 or value == 0 else 1)


def multiple(value: float) -> str:
    """Return a factor.

    Examples
    --------
    >>> multiple(2.684)
    '2.68×'
    """
    return f"{number(value)}×"


def count(value: float) -> str:
    """Return a whole number with grouped digits.

    Examples
    --------
    >>> count(1371)
    '1,371'
    """
    return _signed(value, f"{abs(value):,.0f}")


def year(value: float) -> str:
    """Return a calendar year without grouping.

    Examples
    --------
    >>> year(2019.37)
    '2019'
    """
    return f"{math.floor(value)}"


def flop(value: float) -> str:
    """Return an amount of compute.

    Examples
    --------
    >>> flop(1e23), flop(5.88e23)
    ('10²³ FLOP', '5.88×10²³ FLOP')
    """
    return f"{number(value)} FLOP"


def quantity(value: float | None, unit: str, *, decimals: int | None = None) -> str:
    """Return a value with its unit; ``1`` is no unit, ``×`` follows without a space.

    Examples
    --------
    >>> quantity(8.44, "months"), quantity(0.81, "1"), quantity(3.1, "×"), quantity(None, "months")
    ('8.44 months', '0.810', '3.10×', 'not identified')
    """
    if value is None or not math.isfinite(value):
        return MISSING
    text = number(value) if decimals is None else fixed(value, decimals)
    return f"{text}{_suffix(unit, text)}"


def interval(estimate: Estimate, *, unbounded: str = "no upper bound") -> str:
    """Return the interval alone, or an empty string where there is none.

    Parameters
    ----------
    estimate : Estimate
    unbounded : str
        What an interval that is open above means here, e.g. "no progress not excluded".

    Examples
    --------
    >>> from isoflop.findings import Estimate
    >>> interval(Estimate(value=8.44, low=4.5, high=14.27, level=0.95, unit="months"))
    '4.5 to 14.3, 95 %'
    >>> interval(Estimate(value=0.81, low=0.72, high=0.9, level=0.9, unit="1"))
    '0.72 to 0.90, 90 %'
    >>> interval(Estimate(value=2.0, level=0.95, unit="ln/yr", interval="open_above"))
    'any value possible, 95 %'
    """
    decimals = _shared_decimals(estimate)
    low, high = (
        None if v is None else fixed(v, 0 if _is_far(v, estimate.value) else decimals)
        for v in (estimate.low, estimate.high)
    )
    level = f", {percent(estimate.level)}" if estimate.level is not None else ""
    if low is None and high is None:
        return "" if estimate.interval == "closed" else f"any value possible{level}"
    if estimate.interval == "two_pieces" and low is not None and high is not None:
        return f"below {low} or above {high}{level}"
    if high is None:
        return f"≥ {low}{level}; {unbounded}"
    if low is None:
        return f"≤ {high}{level}; no lower bound"
    return f"{low} to {high}{level}"


def estimate(estimate: Estimate, *, unbounded: str = "no upper bound") -> str:
    """Return value, unit and interval in one phrase.

    Examples
    --------
    >>> from isoflop.findings import Estimate
    >>> estimate(Estimate(value=8.44, low=4.5, high=14.27, level=0.95, unit="months"))
    '8.4 months (4.5 to 14.3, 95 %)'
    >>> estimate(
    ...     Estimate(value=None, low=3.2, level=0.95, unit="months", interval="open_above"),
    ...     unbounded="no progress not excluded",
    ... )
    '≥ 3.2 months (95 %); no progress not excluded'
    >>> estimate(Estimate(value=None, unit="months"))
    'not identified'
    """
    inside = interval(estimate, unbounded=unbounded)
    decimals = _shared_decimals(estimate) if inside else None
    if estimate.value is not None:
        value = quantity(estimate.value, estimate.unit, decimals=decimals)
        return f"{value} ({inside})" if inside else value
    level = f" ({percent(estimate.level)})" if estimate.level is not None else ""
    if estimate.interval == "open_above" and estimate.low is not None:
        return f"≥ {quantity(estimate.low, estimate.unit, decimals=decimals)}{level}; {unbounded}"
    if estimate.interval == "open_below" and estimate.high is not None:
        return f"≤ {quantity(estimate.high, estimate.unit, decimals=decimals)}{level}; no lower bound"
    return f"{MISSING} ({inside})" if inside else MISSING


def finding(finding: Finding) -> str:
    """Return the answer of a finding in one phrase.

    ``details["unbounded"]`` says what an interval that is open above means for it.
    """
    if finding.status == "refused":
        return "refused"
    meaning = finding.details.get("unbounded")
    return estimate(finding.estimate, unbounded=meaning if isinstance(meaning, str) else "no upper bound")


FORMATS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "number": lambda v: number(float(v)),
    "count": lambda v: count(float(v)),
    "percent": lambda v: percent(float(v)),
    "points": lambda v: points(float(v)),
    "multiple": lambda v: multiple(float(v)),
    "year": lambda v: year(float(v)),
    "flop": lambda v: flop(float(v)),
    "months": lambda v: fixed(float(v), 1),
    "fine": lambda v: number(float(v), 6),
    "estimate": lambda v: estimate(v),
}
"""Formats that a table column may name."""


def _signed(value: float, text: str) -> str:
    return MINUS + text if value < 0 else text


def _decimals(size: float, digits: int) -> int:
    return max(0, digits - 1 - math.floor(math.log10(size))) if size else 0


def _shared_decimals(estimate: Estimate) -> int:
    """Decimals for a value and its ends, by the Particle Data Group's rule for the half-width.

    Two digits of a half-width that starts with 10 to 35, else one; the value itself keeps 2 to 3
    significant digits whatever its interval.
    """
    ends = [v for v in (estimate.low, estimate.high) if v is not None]
    # A number so small that it is written as a power of ten needs no decimals of the others.
    centre = next((abs(v) for v in (estimate.value, *ends) if v and abs(v) >= _PLAIN[0]), 1.0)
    width = (max(ends) - min(ends)) / 2.0 if len(ends) == 2 else 0.0
    fewest, most = _decimals(centre, 2), _decimals(centre, 3)
    if width <= 0:
        return fewest
    lead = width / 10.0 ** math.floor(math.log10(width))
    return min(max(_decimals(width, 2 if lead <= 3.5 else 1), fewest), most)


def _is_far(end: float, value: float | None) -> bool:
    """Whether an end is so much larger than the value that the value's decimals would pretend."""
    return value is not None and abs(end) >= max(1000.0, 10 * abs(value))


def _suffix(unit: str, text: str) -> str:
    if unit in ("", "1"):
        return ""
    if unit == "×":
        return "×"
    if unit in ("months", "years", "tokens", "runs", "parameters") and text == "1":
        unit = unit.removesuffix("s")
    return f" {unit}"
