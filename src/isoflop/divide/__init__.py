"""Who has the compute, and what do those without it do?

Evidence first, settings after; a data frame of any library, a path or a loaded table:

>>> from isoflop import divide, evidence
>>> growth = divide.growth(evidence.load("notable_systems"))

The verbs on systems come first, then
those on papers; each is imported when it is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from isoflop.lazy import offer

if TYPE_CHECKING:
    from isoflop.divide.adoption.find import adoption
    from isoflop.divide.afford.find import affordability
    from isoflop.divide.audit.find import audit
    from isoflop.divide.classification.find import classify
    from isoflop.divide.concentration.find import concentration
    from isoflop.divide.counts.find import work_shares
    from isoflop.divide.coverage.find import coverage
    from isoflop.divide.deciles.find import deciles
    from isoflop.divide.gap.find import gap
    from isoflop.divide.growth.find import growth
    from isoflop.divide.impact.find import impact
    from isoflop.divide.influence.find import influence
    from isoflop.divide.large import LARGE
    from isoflop.divide.model import Period, TeamRule
    from isoflop.divide.openness.find import openness
    from isoflop.divide.power.find import power
    from isoflop.divide.remedies.find import remedies
    from isoflop.divide.representation.find import representation
    from isoflop.divide.sample import select
    from isoflop.divide.shares.find import shares
    from isoflop.divide.specification.find import specification

_HOME = {
    "select": "sample",
    "growth": "growth.find",
    "gap": "gap.find",
    "shares": "shares.find",
    "specification": "specification.find",
    "audit": "audit.find",
    "coverage": "coverage.find",
    "influence": "influence.find",
    "power": "power.find",
    "deciles": "deciles.find",
    "openness": "openness.find",
    "concentration": "concentration.find",
    "affordability": "afford.find",
    "classify": "classification.find",
    "representation": "representation.find",
    "remedies": "remedies.find",
    "impact": "impact.find",
    "adoption": "adoption.find",
    "work_shares": "counts.find",
    "LARGE": "large",
    "Period": "model",
    "TeamRule": "model",
}

__all__ = [
    "LARGE",
    "Period",
    "TeamRule",
    "adoption",
    "affordability",
    "audit",
    "classify",
    "concentration",
    "coverage",
    "deciles",
    "gap",
    "growth",
    "impact",
    "influence",
    "openness",
    "power",
    "remedies",
    "representation",
    "select",
    "shares",
    "specification",
    "work_shares",
]

offer(__name__, _HOME)
