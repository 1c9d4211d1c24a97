"""Join findings: effective growth, the lag of academia, what slow-downs cost and what routing wins."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from isoflop.errors import SettingError, closest
from isoflop.findings import Finding
from isoflop.outlook.answer import Question, answer, time_needed
from isoflop.outlook.inputs import by_id
from isoflop.outlook.model import MONTHS, UNITS, Assumptions, physical_growth
from isoflop.outlook.result import Outlook, used
from isoflop.stats.checks import FloatArray

_LN10, _LN2 = math.log(10.0), math.log(2.0)


def outlook(findings: Iterable[Finding], *, assumptions: Assumptions | None = None) -> Outlook:
    """Join the findings of the instruments in one unit.

    Parameters
    ----------
    findings : iterable of Finding
        Of a report, or of any documents; only ids that the formulas name are read.
    assumptions : Assumptions, optional

    Returns
    -------
    Outlook
        An answer whose input is missing or not identified is not identified, and says which.

    Raises
    ------
    SettingError
        An assumption names a finding that is not there, or one of another unit.

    Notes
    -----
    Formulas: `isoflop.outlook.model`. Inputs are drawn jointly, independent unless a correlation is given.
    A rate of growth that may be zero or less leaves a time open above.

    Examples
    --------
    >>> from isoflop.findings import Estimate
    >>> def given(id, value, unit):
    ...     return Finding(
    ...         id=id,
    ...         instrument=id.split(".")[0],
    ...         label=id,
    ...         method="",
    ...         n=None,
    ...         estimate=Estimate(value=value, unit=unit),
    ...     )
    >>> found = outlook(
    ...     [
    ...         given("progress.rate_per_year", 1.0, "ln/yr"),
    ...         given("divide.doubling_time_months_all", 12 * np.log(2), "months"),
    ...         given("divide.gap_oom", 2.0, "orders of magnitude"),
    ...     ]
    ... )
    >>> round(found["outlook.academic_lag_years"].estimate.value, 3)  # ln(100) / (1 + 1)
    2.303
    """
    chosen = assumptions or Assumptions()
    known = joined(findings, chosen)
    answers = tuple(answer(question, known, chosen) for question in questions(chosen))
    return Outlook(answers=answers, assumptions=chosen, used=used(answers, known))


def joined(findings: Iterable[Finding], chosen: Assumptions) -> dict[str, Finding]:
    """Return findings by id, with those that the assumptions name in the unit that the formulas take.

    A halving time that stands for the rate becomes a rate, 12 ln 2 / months.

    Raises
    ------
    SettingError
        An assumption names a finding of another unit, or one of the user's that is not there.
    """
    known = by_id(findings)
    default = Assumptions()
    for name, id, unit in chosen.choices():
        finding = known.get(id)
        if finding is None and id != getattr(default, name):
            near = closest(id, [f.id for f in known.values() if f.estimate.unit == unit])
            raise SettingError(
                f"outlook: {name} {id!r} is no finding here, must be one in {unit}. "
                f"{f'Did you mean {near!r}?' if near else 'Look into findings.json for its id.'}"
            )
        if finding is None or finding.estimate.unit == unit:
            continue
        if name != "rate" or finding.estimate.unit != "months":
            raise SettingError(
                f"outlook: {name} {id!r} is in {finding.estimate.unit or 'no unit'}, must be in {unit}. Name "
                "another finding."
            )
        known[id] = _as_rate(finding)
    return known


def _as_rate(finding: Finding) -> Finding:
    """Return a halving time in months as a rate in ln a year."""
    draws = [physical_growth(months) for months in finding.details.get("draws", ()) if months > 0]
    return replace(
        finding,
        estimate=finding.estimate.map(lambda months: physical_growth(months), unit=UNITS["rate"]),
        details={**finding.details, "draws": sorted(draws)},
    )


def growth(doubling_months: FloatArray) -> FloatArray:
    """Return ln a year from doubling times in months."""
    return MONTHS * _LN2 / doubling_months


def questions(chosen: Assumptions) -> Sequence[Question]:
    """Return what is asked, under these assumptions."""
    return (
        _effective_growth(chosen),
        lag_question(chosen),
        _lag_without_diffusion(chosen),
        months_question(
            chosen.slowdown,
            "outlook.portability_tax_months",
            "months of algorithmic progress that a move to other hardware takes",
            "slow-down",
            chosen,
        ),
        months_question(
            chosen.gain,
            "outlook.routing_gain_months",
            "months of algorithmic progress that routing is worth",
            "compute-equivalent gain",
            chosen,
        ),
    )


def _effective_growth(chosen: Assumptions) -> Question:
    return Question(
        id="outlook.effective_growth_per_year",
        label="growth of effective compute: hardware and spending times algorithms",
        unit="ln/yr",
        needs=(chosen.doubling, chosen.rate),
        formula=lambda x: growth(x[:, 0]) + x[:, 1],
        words="12 ln 2 / doubling time + algorithmic progress",
        positive=(chosen.doubling,),
    )


def lag_question(chosen: Assumptions) -> Question:
    """Return the question how far academia is behind, with algorithms that diffuse as assumed."""
    return Question(
        id="outlook.academic_lag_years",
        label="years until academia has the effective compute that industry has today",
        unit="years",
        needs=(chosen.gap, chosen.doubling, chosen.rate),
        formula=lambda x: time_needed(_LN10 * x[:, 0], growth(x[:, 1]) + chosen.diffusion * x[:, 2]),
        words=f"gap × ln 10 / (12 ln 2 / doubling time + {chosen.diffusion:g} × algorithmic progress)",
        positive=(chosen.doubling,),
        rising=chosen.gap,
    )


def _lag_without_diffusion(chosen: Assumptions) -> Question:
    return Question(
        id="outlook.academic_lag_years.no_diffusion",
        label="the same if algorithmic progress does not reach academia",
        unit="years",
        needs=(chosen.gap, chosen.doubling),
        formula=lambda x: time_needed(_LN10 * x[:, 0], growth(x[:, 1])),
        words="gap × ln 10 / (12 ln 2 / doubling time)",
        positive=(chosen.doubling,),
        rising=chosen.gap,
    )


def months_question(factor: str, id: str, label: str, word: str, chosen: Assumptions) -> Question:
    """Return the question how many months of algorithmic progress a factor, a finding by its id, is."""
    return Question(
        id=id,
        label=label,
        unit="months",
        needs=(factor, chosen.rate),
        formula=lambda x: time_needed(MONTHS * np.log(x[:, 0]), x[:, 1]),
        words=f"12 × ln({word}) / algorithmic progress",
        positive=(factor,),
        rising=factor,
    )
