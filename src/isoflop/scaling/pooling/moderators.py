"""Meta-regression: does the exponent go with what a study is or how it was done?

One moderator at a time beside the mean of each resource: with some ten papers, more would fit the
papers. Continuous moderators are centred; a category is compared with the most frequent one.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from isoflop.scaling.pooling.group import estimate_of, fit_group
from isoflop.scaling.studies.likelihood import Array
from isoflop.scaling.studies.study_fits import StudyFits

if TYPE_CHECKING:
    import polars as pl

CATEGORIES = ("familiarity", "model_class", "training_phase", "environment", "sector")
NUMBERS = {
    "year": "per year",
    "decades": "per decade of range",
    "points": "per point",
}
FEWEST_PAPERS = 2
_UNREPORTED = "unreported"


def meta_regression(fits: StudyFits, *, level: float = 0.95) -> pl.DataFrame:
    """Return the coefficient of each moderator on the slope, resource by resource.

    Columns: resource, moderator, contrast, coefficient (of the slope: positive means that error falls
    more slowly), low, high, df, studies, papers, reason (why there is no number).
    """
    import polars as pl

    rows: list[dict[str, Any]] = []
    resources = fits.sample.facts["resource"].to_numpy()
    for resource in fits.curves:
        inside = resources == resource
        for name in CATEGORIES:
            rows += _category(fits, inside, resource, name, level)
        for name, unit in NUMBERS.items():
            rows += _number(fits, inside, resource, name, unit, level)
    return pl.DataFrame(rows, infer_schema_length=None)


def _category(
    fits: StudyFits, inside: NDArray[np.bool_], resource: str, name: str, level: float
) -> list[dict[str, Any]]:
    values = fits.sample.facts[name].fill_null(_UNREPORTED).to_numpy()
    papers = np.array(fits.sample.papers)
    known = inside & (values != _UNREPORTED)
    counted = Counter(values[known])
    if len(counted) < 2:
        return []
    (base, _), *others = counted.most_common()
    rows = []
    for other, _ in others:
        which = known & ((values == base) | (values == other))
        marked = (values[which] == other).astype(float)
        fewest = min(len(set(papers[known & (values == v)])) for v in (base, other))
        row = _row(resource, name, f"{other} − {base}", int(which.sum()), len(set(papers[which])))
        if fewest < FEWEST_PAPERS:
            row["reason"] = f"a group of {fewest} paper, needs {FEWEST_PAPERS}"
        else:
            row |= _fitted(fits, which, marked, level)
        rows.append(row)
    return rows


def _number(
    fits: StudyFits, inside: NDArray[np.bool_], resource: str, name: str, unit: str, level: float
) -> list[dict[str, Any]]:
    import polars as pl

    values = fits.sample.facts[name].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    which = inside & np.isfinite(values)
    papers = np.array(fits.sample.papers)[which]
    if not which.any() or np.ptp(values[which]) == 0:
        return []
    row = _row(resource, name, unit, int(which.sum()), len(set(papers)))
    if len(set(papers)) <= FEWEST_PAPERS:
        row["reason"] = f"{len(set(papers))} papers, needs more than {FEWEST_PAPERS}"
    else:
        row |= _fitted(fits, which, values[which] - values[which].mean(), level)
    return [row]


def _row(resource: str, moderator: str, contrast: str, studies: int, papers: int) -> dict[str, Any]:
    return {
        "resource": resource,
        "moderator": moderator,
        "contrast": contrast,
        "coefficient": None,
        "low": None,
        "high": None,
        "df": None,
        "studies": studies,
        "papers": papers,
        "reason": "",
    }


def _fitted(fits: StudyFits, which: NDArray[np.bool_], column: Array, level: float) -> dict[str, Any]:
    fitted = fit_group(fits, which, np.column_stack([np.ones(len(column)), column]))
    found = estimate_of(fitted, 1, level)
    return {"coefficient": found.value, "low": found.low, "high": found.high, "df": float(fitted.df[1])}
