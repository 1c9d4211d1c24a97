"""One exponent from many studies: by resource, by group, and what the difference between groups is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import SettingError, closest
from isoflop.scaling.pooling.differences import class_difference, familiarity_differences
from isoflop.scaling.pooling.group import Group, pool_group
from isoflop.scaling.pooling.pooled import Pooled
from isoflop.scaling.studies.fit_studies import fit_studies
from isoflop.scaling.studies.sample import OWN_STUDY, StudySample
from isoflop.scaling.studies.study_fits import StudyFits

if TYPE_CHECKING:
    from isoflop.evidence import Table

Weights = Literal["paper", "study"]
Adjust = Literal["knapp_hartung", "adhoc", "none"]

GROUPINGS = (
    "familiarity", "model_class", "training_phase", "environment", "sector", "task_family", "x_unit",
)  # fmt: skip
ALIASES = {"class": "model_class", "phase": "training_phase"}
TAU2 = {"fe": "FE", "dl": "DL", "pm": "PM", "he": "HE", "sj": "SJ", "ml": "ML", "reml": "REML"}
TESTS = {"knapp_hartung": "knha", "adhoc": "adhoc", "none": "z"}
CLASSES = ("RFM:PVR", "RFM:VLM", "RFM:VLA", "LLM", "other")
"""Classes shown even where no study is: an empty row says so."""


def pool(
    studies: StudyFits | Table | StudySample | Any,
    *,
    by: str | Sequence[str] | None = None,
    weights: Weights = "paper",
    tau2: str = "reml",
    adjust: Adjust = "knapp_hartung",
    level: float = 0.95,
    progress: Callable[[str, float], None] | None = None,
) -> Pooled:
    """Pool exponents over studies, every estimator on the same rows.

    Parameters
    ----------
    studies : StudyFits, Table or StudySample
        A table is fitted with the defaults of `fit_studies` first.
    by : str or sequence of str, optional
        Groups to show beside all studies of a resource: familiarity, class, phase, environment, sector,
        task_family, x_unit. Familiarity and class are always there.
    weights : {"paper", "study"}
        Of the hierarchical estimate: each paper counts once, or each study.
    tau2 : str
        Estimator of the two-level variance: fe, dl, pm, he, sj, ml, reml.
    adjust : {"knapp_hartung", "adhoc", "none"}
        Interval of the two-level mean.
    level : float, in (0, 1)

    Returns
    -------
    Pooled

    Raises
    ------
    SettingError
        A setting is unknown.
    EvidenceError
        No study can be used.

    Notes
    -----
    Papers are the independent units throughout: the hierarchical interval is a corrected sandwich over
    papers, the three-level one CR2 with Satterthwaite's degrees of freedom.
    """
    groupings = _groupings(by)
    _known("weights", weights, ("paper", "study"))
    _known("tau2", tau2, tuple(TAU2))
    _known("adjust", adjust, tuple(TESTS))
    if not 0 < level < 1:
        hint = f"Did you mean {level / 100:g}?" if 1 < level < 100 else "Use 0.95."
        raise SettingError(f"pool: level={level:g}, must lie in (0, 1). {hint}")
    fits = studies if isinstance(studies, StudyFits) else fit_studies(studies)
    facts = fits.sample.facts
    resources = facts["resource"].to_numpy()

    def one(which: NDArray[np.bool_], resource: str, column: str = "", name: str = "") -> Group:
        return pool_group(
            fits, which, resource=resource, by=column, name=name, level=level, by_paper=weights == "paper",
            tau2=TAU2[tau2], test=TESTS[adjust],
        )  # fmt: skip

    groups: list[Group] = []
    for done, resource in enumerate(fits.curves, start=1):
        inside = resources == resource
        groups.append(one(inside, resource))
        groups += _by_source(fits, inside, resource, one)
        for column in groupings:
            values = facts[column].fill_null("unreported").to_numpy()
            found = sorted(set(values[inside]))
            names = [*CLASSES, *(v for v in found if v not in CLASSES)] if column == "model_class" else found
            for name in names:
                which = inside & (values == name)
                empty = Group(resource=resource, by=column, name=name)
                groups.append(one(which, resource, column, name) if which.any() else empty)
        if progress is not None:
            progress("pooling studies", done / len(fits.curves))
    return Pooled(
        fits=fits,
        groups=tuple(groups),
        groupings=groupings,
        familiarity=familiarity_differences(fits, level=level),
        class_difference=class_difference(fits, level=level),
        weights=weights,
        level=level,
    )


def _by_source(
    fits: StudyFits, inside: NDArray[np.bool_], resource: str, one: Callable[..., Group]
) -> list[Group]:
    """Return the literature and this project's own study apart, where both are there."""
    own = np.array([paper == OWN_STUDY for paper in fits.sample.papers])
    if not (inside & own).any() or not (inside & ~own).any():
        return []
    return [
        one(inside & ~own, resource, "source", "literature"),
        one(inside & own, resource, "source", "own study"),
    ]


def _groupings(by: str | Sequence[str] | None) -> tuple[str, ...]:
    asked = () if by is None else (by,) if isinstance(by, str) else tuple(by)
    names = []
    for name in asked:
        column = ALIASES.get(name, name)
        _known("by", column, GROUPINGS)
        names.append(column)
    return tuple(dict.fromkeys(("familiarity", "model_class", *names)))


def _known(setting: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        near = closest(str(value), choices)
        hint = f"Did you mean {near}?" if near else f"Use {choices[0]}."
        raise SettingError(f"pool: {setting}={value!r}, must be one of {', '.join(choices)}. {hint}")
