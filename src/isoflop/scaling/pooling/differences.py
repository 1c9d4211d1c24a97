"""Do groups of studies scale differently? Seen against unseen, robot models against language models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isoflop.errors import EvidenceError
from isoflop.findings import Estimate
from isoflop.scaling.pooling.group import estimate_of, fit_group, studies_of
from isoflop.scaling.pooling.hierarchical import Studies, fit_marginal
from isoflop.scaling.studies.likelihood import Array
from isoflop.scaling.studies.sartor2024 import Welch, welch
from isoflop.scaling.studies.study_fits import StudyFits

ROBOT_MODELS = ("RFM:PVR", "RFM:VLM", "RFM:VLA")
PROMPTED = "none_prompted"
FEWEST_PAPERS = 2
CONFOUNDED = (
    "seen and unseen studies come from different tasks and papers, so their difference is confounded; "
    "the comparison inside papers that test both is free of it. More such papers cure it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Difference of two groups' mean slopes, with what it rests on.

    Parameters
    ----------
    label : str
        ``"unseen − seen"``: positive where the first group's error falls more slowly.
    resource : str
    estimate : Estimate
    n_studies, n_papers : tuple of (int, int)
        Of the first and the second group.
    within : Estimate or None
        The same difference inside papers that have both groups.
    papers_with_both : int
    welch : Welch or None
        The published method's comparison on its kept exponents.
    reason : str
        Why there is no number; empty if there is one.
    """

    label: str
    resource: str
    estimate: Estimate
    n_studies: tuple[int, int]
    n_papers: tuple[int, int]
    within: Estimate | None = None
    papers_with_both: int = 0
    welch: Welch | None = None
    reason: str = ""


def familiarity_differences(fits: StudyFits, *, level: float) -> tuple[Difference, ...]:
    """Return unseen − seen for each resource in which both occur."""
    facts = fits.sample.facts
    resources = facts["resource"].to_numpy()
    familiar = facts["familiarity"].fill_null("unreported").to_numpy()
    out = []
    for resource in fits.curves:
        unseen = (resources == resource) & (familiar == "unseen")
        seen = (resources == resource) & (familiar == "seen")
        if unseen.any() and seen.any():
            out.append(_difference(fits, unseen, seen, "unseen − seen", resource, level))
    return tuple(out)


def _difference(
    fits: StudyFits,
    first: NDArray[np.bool_],
    second: NDArray[np.bool_],
    label: str,
    resource: str,
    level: float,
) -> Difference:
    papers = np.array(fits.sample.papers)
    counts = (int(first.sum()), int(second.sum()))
    of = (len(set(papers[first])), len(set(papers[second])))
    which = first | second
    group = first[which].astype(float)
    both = sorted(set(papers[first]) & set(papers[second]))
    few = min(of) < FEWEST_PAPERS
    estimate, reason = Estimate(value=None, unit="1"), ""
    if few:
        reason = f"{of[0]} and {of[1]} papers in the two groups, needs {FEWEST_PAPERS} in each. Add papers."
    else:
        fitted = fit_group(fits, which, np.column_stack([np.ones(len(group)), group]))
        estimate = estimate_of(fitted, 1, level)
    try:
        compared = welch(
            fits.percent.exponent[first & fits.percent.kept()],
            fits.percent.exponent[second & fits.percent.kept()],
            level=level,
        )
    except EvidenceError:
        # One exponent in a group: the published comparison has no test, which its absence says.
        compared = None
    return Difference(
        label=label,
        resource=resource,
        estimate=estimate,
        n_studies=counts,
        n_papers=of,
        within=_within(fits, first, second, both, level),
        papers_with_both=len(both),
        welch=compared,
        reason=reason,
    )


def _within(
    fits: StudyFits, first: NDArray[np.bool_], second: NDArray[np.bool_], both: list[str], level: float
) -> Estimate | None:
    """Return the difference inside papers: the group's deviation from its paper's share is the moderator."""
    papers = np.array(fits.sample.papers)
    which = (first | second) & np.isin(papers, both)
    if len(both) < FEWEST_PAPERS:
        return None
    group, names = first[which].astype(float), papers[which]
    share = np.array([group[names == name].mean() for name in names])
    z = np.column_stack([np.ones(len(group)), group - share])
    return estimate_of(fit_group(fits, which, z), 1, level)


def class_difference(fits: StudyFits, *, level: float) -> tuple[Difference, Difference]:
    """Return robot foundation models − language models, and the same with prompted models as the latter.

    All resources together, each with its own mean: the resource is a moderator, since language models
    are studied by size and robot models mostly by data.
    """
    facts = fits.sample.facts
    classes = facts["model_class"].to_numpy()
    prompted = facts["training_phase"].fill_null("").to_numpy() == PROMPTED
    robot = np.isin(classes, ROBOT_MODELS)
    language = classes == "LLM"
    return (
        _class_difference(fits, robot, language, "robot foundation models − LLMs", level),
        _class_difference(
            fits, robot & ~prompted, language | (robot & prompted), "trained robot models − prompted models",
            level,
        ),
    )  # fmt: skip


def _class_difference(
    fits: StudyFits, robot: NDArray[np.bool_], language: NDArray[np.bool_], label: str, level: float
) -> Difference:
    papers = np.array(fits.sample.papers)
    counts = (int(robot.sum()), int(language.sum()))
    of = (len(set(papers[robot])), len(set(papers[language])))
    estimate = Estimate(value=None, unit="1")
    if min(of) < FEWEST_PAPERS:
        reason = (
            f"{of[0]} papers on robot models and {of[1]} on language models, needs {FEWEST_PAPERS} of each: "
            "one paper cannot show how papers differ. Add papers."
        )
        return Difference(
            label=label, resource="all", estimate=estimate, n_studies=counts, n_papers=of, reason=reason
        )
    which = robot | language
    resources = fits.sample.facts["resource"].to_numpy()
    names = sorted(set(resources[which]))
    columns = [robot[which].astype(float), *((resources[which] == name).astype(float) for name in names)]
    fitted = fit_marginal(_all_resources(fits, which, np.column_stack(columns)))
    return Difference(
        label=label,
        resource="all",
        estimate=estimate_of(fitted, 0, level),
        n_studies=counts,
        n_papers=of,
        papers_with_both=len(set(papers[robot]) & set(papers[language])),
    )


def _all_resources(fits: StudyFits, which: NDArray[np.bool_], z: Array) -> Studies:
    """Return the curves of studies of several resources, each under its likeliest floor."""
    resources = fits.sample.facts["resource"].to_numpy()
    size = fits.curves[next(iter(fits.curves))].sets[0].curves.shape[1]
    curves = np.empty((len(resources), size))
    grid = None
    for resource in fits.curves:
        inside = resources == resource
        _, studies = max(studies_of(fits, inside), key=lambda pair: pair[0])
        curves[inside], grid = studies.curves, studies.grid
    papers = np.unique(np.array(fits.sample.papers)[which], return_inverse=True)[1]
    assert grid is not None
    return Studies(grid=grid, curves=curves[which], papers=papers, z=z)
