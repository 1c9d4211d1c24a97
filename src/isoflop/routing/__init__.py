"""Which model for this task, how sure is that, and what does it cost?

Evidence first, settings after: `join` scores and prompts, then ask whether any one model wins everywhere
(`winners`), what choosing wins (`evaluate`), and keep the choice (`fit_router`):

>>> from isoflop import evidence, routing
>>> scored = routing.join(evidence.load("measured_model_scores"), evidence.load("measured_prompts"))
>>> won = routing.winners(scored)

Each verb is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.routing.cost.equivalent import equivalent_gain
    from isoflop.routing.cost.find import apgr, curve
    from isoflop.routing.cost.prices import call_costs
    from isoflop.routing.evaluation.find import evaluate
    from isoflop.routing.model import KNN, Paper
    from isoflop.routing.neighbours.tasks import score_tasks
    from isoflop.routing.router.change import add_model, anchors, coverage, drop_model
    from isoflop.routing.router.fit import fit_router
    from isoflop.routing.router.policies import AtLeast, Budget, Cascade, CostAware, Quality
    from isoflop.routing.router.save import load_router
    from isoflop.routing.sample import ScoredPrompts, join, near_duplicates
    from isoflop.routing.selection.calibration import calibrate
    from isoflop.routing.selection.few_labels import posterior
    from isoflop.routing.selection.ranking import rank
    from isoflop.routing.selection.shrunken import Shrunken, fit_shrunken
    from isoflop.routing.shift.find import shift
    from isoflop.routing.shortlist.core import core
    from isoflop.routing.shortlist.find import shortlist
    from isoflop.routing.winners.find import winners

_HOME = {
    "join": "sample",
    "near_duplicates": "sample",
    "evaluate": "evaluation.find",
    "winners": "winners.find",
    "shift": "shift.find",
    "core": "shortlist.core",
    "shortlist": "shortlist.find",
    "calibrate": "selection.calibration",
    "rank": "selection.ranking",
    "posterior": "selection.few_labels",
    "fit_shrunken": "selection.shrunken",
    "score_tasks": "neighbours.tasks",
    "curve": "cost.find",
    "apgr": "cost.find",
    "call_costs": "cost.prices",
    "equivalent_gain": "cost.equivalent",
    "fit_router": "router.fit",
    "load_router": "router.save",
    "add_model": "router.change",
    "drop_model": "router.change",
    "anchors": "router.change",
    "coverage": "router.change",
    "AtLeast": "router.policies",
    "Budget": "router.policies",
    "Cascade": "router.policies",
    "CostAware": "router.policies",
    "KNN": "model",
    "Paper": "model",
    "Quality": "router.policies",
    "ScoredPrompts": "sample",
    "Shrunken": "selection.shrunken",
}

__all__ = [
    "KNN",
    "AtLeast",
    "Budget",
    "Cascade",
    "CostAware",
    "Paper",
    "Quality",
    "ScoredPrompts",
    "Shrunken",
    "add_model",
    "anchors",
    "apgr",
    "calibrate",
    "call_costs",
    "core",
    "coverage",
    "curve",
    "drop_model",
    "equivalent_gain",
    "evaluate",
    "fit_router",
    "fit_shrunken",
    "join",
    "load_router",
    "near_duplicates",
    "posterior",
    "rank",
    "score_tasks",
    "shift",
    "shortlist",
    "winners",
]

offer(__name__, _HOME)
