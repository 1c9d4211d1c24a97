"""How much better does more buy, how sure is that, and what to train next?

Evidence first, settings after. `select` chooses the runs, `fit` fits a law, `frontier`, `compare`, `design`
and `influence` ask it:

>>> from isoflop import evidence, scaling
>>> runs = scaling.select(evidence.load("scaling_runs"), where={"dataset": "zipf_words"})
>>> runs.table.kind
'measured'

The verbs for one's own runs come first, then those for other people's studies; each is imported when it is
first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.scaling.breaks.null import Null
    from isoflop.scaling.compare.find import compare
    from isoflop.scaling.compare.schemes import AsMarked, LeaveGroupOut, RollingOrigin
    from isoflop.scaling.design.find import design
    from isoflop.scaling.downstream.find import downstream
    from isoflop.scaling.emergence.find import emergence
    from isoflop.scaling.extraction.lint import lint
    from isoflop.scaling.fit import fit
    from isoflop.scaling.forecast.find import forecast
    from isoflop.scaling.forecast.settings import Stack
    from isoflop.scaling.frontier.find import frontier
    from isoflop.scaling.influence.find import influence
    from isoflop.scaling.laws import LAWS
    from isoflop.scaling.observational.find import observe
    from isoflop.scaling.pooling.pool import pool
    from isoflop.scaling.power.find import StudyPlan, power
    from isoflop.scaling.returns.find import returns
    from isoflop.scaling.runs import select
    from isoflop.scaling.settings import LAD, Gaussian, Huber, StudentT
    from isoflop.scaling.studies.fit_studies import fit_studies
    from isoflop.scaling.studies.transfer import transfer

_HOME = {
    "select": "runs",
    "fit": "fit",
    "frontier": "frontier.find",
    "influence": "influence.find",
    "design": "design.find",
    "compare": "compare.find",
    "forecast": "forecast.find",
    "downstream": "downstream.find",
    "observe": "observational.find",
    "fit_studies": "studies.fit_studies",
    "pool": "pooling.pool",
    "transfer": "studies.transfer",
    "emergence": "emergence.find",
    "returns": "returns.find",
    "power": "power.find",
    "lint": "extraction.lint",
    "LAWS": "laws",
    "Gaussian": "settings",
    "Huber": "settings",
    "LAD": "settings",
    "StudentT": "settings",
    "AsMarked": "compare.schemes",
    "LeaveGroupOut": "compare.schemes",
    "RollingOrigin": "compare.schemes",
    "Stack": "forecast.settings",
    "StudyPlan": "power.find",
    "Null": "breaks.null",
}

__all__ = [
    "LAD",
    "LAWS",
    "AsMarked",
    "Gaussian",
    "Huber",
    "LeaveGroupOut",
    "Null",
    "RollingOrigin",
    "Stack",
    "StudentT",
    "StudyPlan",
    "compare",
    "design",
    "downstream",
    "emergence",
    "fit",
    "fit_studies",
    "forecast",
    "frontier",
    "influence",
    "lint",
    "observe",
    "pool",
    "power",
    "returns",
    "select",
    "transfer",
]

offer(__name__, _HOME)
