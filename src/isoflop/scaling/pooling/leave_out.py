"""What does the mean rest on? Without each paper, and as the years added papers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.scaling.pooling.group import estimate_of, fit_group
from isoflop.scaling.studies.study_fits import StudyFits

if TYPE_CHECKING:
    import polars as pl


def leave_one_paper_out(fits: StudyFits, *, level: float, by_paper: bool = True) -> pl.DataFrame:
    """Return the hierarchical mean of each resource without each of its papers.

    Columns: resource, paper_id, title, studies_left_out, exponent, low, high, change (from all papers).
    Levels and floor stay those of all papers.
    """
    import polars as pl

    facts, rows = fits.sample.facts, []
    papers = facts["paper_id"].to_numpy()
    resources = facts["resource"].to_numpy()
    titles = dict(zip(papers, facts["title"].to_list(), strict=True))
    for resource in fits.curves:
        inside = resources == resource
        names = sorted(set(papers[inside]))
        if len(names) < 2:
            continue
        whole = -float(fit_group(fits, inside, by_paper=by_paper).beta[0])
        for name in names:
            kept = inside & (papers != name)
            found = estimate_of(fit_group(fits, kept, by_paper=by_paper), 0, level)
            rows.append(
                {
                    "resource": resource,
                    "paper_id": name,
                    "title": titles[name],
                    "studies_left_out": int((inside & (papers == name)).sum()),
                    "exponent": found.value,
                    "low": found.low,
                    "high": found.high,
                    "change": (found.value or 0.0) - whole,
                }
            )
    return _frame(rows, pl)


def cumulative_by_year(fits: StudyFits, *, level: float, by_paper: bool = True) -> pl.DataFrame:
    """Return the hierarchical mean of each resource from papers up to each year.

    Columns: resource, year, studies, papers, exponent, low, high. Papers without a year are left out.
    """
    import polars as pl

    facts, rows = fits.sample.facts, []
    years = facts["year"].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    papers, resources = facts["paper_id"].to_numpy(), facts["resource"].to_numpy()
    for resource in fits.curves:
        inside = (resources == resource) & np.isfinite(years)
        for year in _years(years[inside]):
            which = inside & (years <= year)
            found = estimate_of(fit_group(fits, which, by_paper=by_paper), 0, level)
            rows.append(
                {
                    "resource": resource,
                    "year": int(year),
                    "studies": int(which.sum()),
                    "papers": len(set(papers[which])),
                    "exponent": found.value,
                    "low": found.low,
                    "high": found.high,
                }
            )
    return _frame(rows, pl)


def _years(years: NDArray[np.float64]) -> Iterable[float]:
    return sorted({float(y) for y in years})


def _frame(rows: list[dict[str, Any]], pl: Any) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)  # type: ignore[no-any-return]
