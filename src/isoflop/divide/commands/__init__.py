"""``isoflop divide``: who has the compute, and what do those without it do?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.divide.commands import (
    adopt,
    afford,
    audit,
    classify,
    concentration,
    coverage,
    deciles,
    gap,
    growth,
    impact,
    openalex,
    openness,
    query,
    represent,
    shares,
    specification,
)
from isoflop.present.options import VerbGroup

_VERBS = (
    growth.growth,
    gap.gap,
    shares.shares,
    specification.specification,
    audit.audit,
    coverage.coverage,
    growth.influence,
    gap.power,
    deciles.deciles,
    openness.openness,
    concentration.concentration,
    afford.afford,
    classify.classify,
    represent.represent,
    impact.impact,
    adopt.adopt,
    openalex.plan,
    openalex.extract,
    openalex.status,
    query.query,
)


@click.group("divide", cls=VerbGroup, no_args_is_help=True)
def group() -> None:
    """Who has the compute, and what do those without it do?"""


for _verb in _VERBS:
    group.add_command(_verb)
