"""Units: the only place where one is turned into another.

Everything inside isoflop is in base units: FLOP, parameters, tokens, nats per token,
years (fractional), US dollars. Rates of progress are natural logarithms per year.
"""

from __future__ import annotations

import datetime as dt
import math
import re

from isoflop.errors import SettingError

MONTHS_PER_YEAR = 12.0
SECONDS_PER_DAY = 86_400.0
DAYS_PER_TROPICAL_YEAR = 365.242199
"""Mean tropical year used by the published decomposition for calendar positions."""
FLOP_PER_PETAFLOP_DAY = 1e15 * SECONDS_PER_DAY
FLOP_PER_TERAFLOP_DAY = 1e12 * SECONDS_PER_DAY
FLOP_PER_PARAMETER_TOKEN = 6.0
"""Training FLOP per parameter and token of a dense transformer (forward and backward)."""

_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18}
_QUANTITY = re.compile(r"^\s*([-+]?\d+(?:[_,]\d+)*(?:\.\d*)?(?:[eE][-+]?\d+)?)\s*([kmbgtpeKMBGTPE]?)\s*$")


def nats_from_perplexity(perplexity: float) -> float:
    """Return the loss in nats per token of a perplexity >= 1."""
    return math.log(perplexity)


def perplexity_from_nats(loss_nats: float) -> float:
    """Return the perplexity of a loss in nats per token."""
    return math.exp(loss_nats)


def nats_from_bits_per_byte(bits_per_byte: float, bytes_per_token: float) -> float:
    """Return nats per token from bits per byte and the mean number of bytes in a token.

    Examples
    --------
    >>> round(nats_from_bits_per_byte(1.0, 4.0), 4)
    2.7726
    """
    return bits_per_byte * bytes_per_token * math.log(2.0)


def months(years: float) -> float:
    """Return months from years."""
    return MONTHS_PER_YEAR * years


def halving_time_months(rate_per_year: float) -> float:
    """Return the months in which something growing at `rate_per_year` (ln/yr) doubles.

    The same number is the halving time of the compute needed. The sign is kept: a negative
    rate gives a negative time, which callers must report as "no progress", not as a time.

    Examples
    --------
    >>> round(halving_time_months(math.log(2)), 12)
    12.0
    """
    return MONTHS_PER_YEAR * math.log(2.0) / rate_per_year


def rate_from_halving_time(months_to_halve: float) -> float:
    """Return the yearly growth rate (ln/yr) of a halving or doubling time in months."""
    return MONTHS_PER_YEAR * math.log(2.0) / months_to_halve


def multiple_per_year(rate_per_year: float) -> float:
    """Return the yearly multiple e^G of a rate G in ln/yr."""
    return math.exp(rate_per_year)


def calendar_year(date: dt.date) -> float:
    """Return the date as year + (day of year - 1)/365.25, the time axis of training compute.

    Examples
    --------
    >>> calendar_year(dt.date(2020, 1, 1)), round(calendar_year(dt.date(2021, 7, 2)), 3)
    (2020.0, 2021.498)
    """
    return date.year + (date.timetuple().tm_yday - 1) / 365.25


def fractional_year(date: dt.date) -> float:
    """Return the date as year + (day of year - 1)/365, also in leap years.

    This is the rule of Ho et al. (2024), kept so that their fit can be reproduced; in a leap
    year 31 December therefore equals the next 1 January.

    Examples
    --------
    >>> fractional_year(dt.date(2012, 1, 1))
    2012.0
    """
    return date.year + (date.timetuple().tm_yday - 1) / 365.0


def tropical_year(date: dt.date) -> float:
    """Return the date as 1970 + days since 1970-01-01 / 365.242199.

    Only the published decomposition uses this form.
    """
    return 1970.0 + (date - dt.date(1970, 1, 1)).days / DAYS_PER_TROPICAL_YEAR


def date_from_year(year: float) -> dt.date:
    """Return the calendar date nearest to a fractional year (inverse of `fractional_year`)."""
    whole = math.floor(year)
    return dt.date(whole, 1, 1) + dt.timedelta(days=round((year - whole) * 365.0))


def flop_from_petaflop_days(petaflop_days: float) -> float:
    """Return FLOP from petaFLOP/s-days."""
    return petaflop_days * FLOP_PER_PETAFLOP_DAY


def flop_from_teraflop_days(teraflop_days: float) -> float:
    """Return FLOP from teraFLOP/s-days."""
    return teraflop_days * FLOP_PER_TERAFLOP_DAY


def train_flop(parameters: float, train_tokens: float) -> float:
    """Return training compute 6·N·D in FLOP of a dense transformer."""
    return FLOP_PER_PARAMETER_TOKEN * parameters * train_tokens


def tokens_from_flop(flop: float, parameters: float) -> float:
    """Return the training tokens that C = 6·N·D implies."""
    return flop / (FLOP_PER_PARAMETER_TOKEN * parameters)


def parse_quantity(text: str, *, where: str) -> float:
    """Return the positive number written as ``70B``, ``1.4T``, ``1e25`` or ``300_000``.

    Suffixes are k, M, B or G, T, P, E, in either case.

    Raises
    ------
    SettingError
        The text is no such number, or it is not positive.

    Examples
    --------
    >>> parse_quantity("1.4T", where="--tokens")
    1400000000000.0
    """
    found = _QUANTITY.match(text)
    number = float(re.sub("[_,]", "", found[1])) * _SCALE[found[2].lower()] if found else math.nan
    if not (math.isfinite(number) and number > 0):
        raise SettingError(
            f"{where}: {text!r}, needs a positive number. Write it as 7e9, 7B or 7_000_000_000."
        )
    return number
