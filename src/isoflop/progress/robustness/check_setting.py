"""What every check is handed, and how a fit becomes a row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from isoflop.errors import IsoflopError, NotIdentifiedError
from isoflop.findings import Estimate
from isoflop.progress.fit import fit
from isoflop.progress.model import Options
from isoflop.progress.result import ProgressFit
from isoflop.progress.robustness.check_result import CheckRow, Printed
from isoflop.progress.robustness.sweep import SampleChoice, reselect
from isoflop.progress.sample import Sample
from isoflop.progress.settings import L1, Starts
from isoflop.stats.resample import Bootstrap

NO_TIME = "the rate at the best minimum is not above zero, or without bound, so there is no halving time"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """Sample and settings that all checks of a run share."""

    sample: Sample
    penalty: L1
    starts: Starts
    ci: Bootstrap | None
    seed: int

    def fit(self, sample: Sample, law: int = 7, options: Options | None = None) -> ProgressFit:
        """Return a converged fit under the shared settings."""
        return fit(sample, law=law, penalty=self.penalty, starts=self.starts, options=options, ci=self.ci)

    def reselected(self, **change: Any) -> Sample:
        """Return the sample under changed rules.

        Raises
        ------
        NotIdentifiedError
            The table has no such rows.
        """
        found = reselect(self.sample, SampleChoice(text="", change=change))
        if isinstance(found, str):
            raise NotIdentifiedError(found)
        return found


def printed(
    value: float, low: float | None = None, high: float | None = None, *, unit: str = "months", **more: Any
) -> Printed:
    """Return a published number; 95 % intervals."""
    level = None if low is None else 0.95
    return Printed(estimate=Estimate(value=value, low=low, high=high, level=level, unit=unit), **more)


def fit_row(
    check: str,
    slug: str,
    label: str,
    fitted: Callable[[], ProgressFit],
    *,
    published: Printed | None = None,
    note: str | Callable[[ProgressFit], str] = "",
    details: Callable[[ProgressFit], dict[str, Any]] | None = None,
) -> CheckRow:
    """Return the halving time of a fit as a row, or the reason why it cannot be fitted."""
    try:
        found = fitted()
        estimate, times = found.halving_time, found.basin_halving_times()
    except IsoflopError as error:
        return unanswered(check, slug, label, "months", error, published)
    return CheckRow(
        check=check,
        slug=slug,
        label=label,
        estimate=estimate,
        published=published,
        n=found.sample.n,
        objective=found.objective,
        certificate=found.certificate,
        minima_months=tuple(times),
        note=note if isinstance(note, str) else note(found),
        why_not="" if estimate.value is not None else NO_TIME,
        method=found.method,
        provenance=found.provenance,
        details={
            "minima_rates_per_year": found.basin_rates(),
            **({} if details is None else details(found)),
        },
    )


def unanswered(
    check: str,
    slug: str,
    label: str,
    unit: str,
    error: IsoflopError,
    published: Printed | None = None,
    note: str = "",
) -> CheckRow:
    """Return a row that says why there is no answer."""
    return CheckRow(
        check=check,
        slug=slug,
        label=label,
        estimate=Estimate(value=None, unit=unit),
        published=published,
        note=note,
        why_not=str(error),
    )
