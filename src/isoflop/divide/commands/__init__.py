"""``isoflop divide``: who has the compute, and what do those without it do?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.divide.commands import afford, deciles, openalex, shares
from isoflop.present.options import VerbGroup

_VERBS = (
    shares.shares,
    deciles.deciles,
    afford.afford,
    openalex.plan,
    openalex.extract,
    openalex.status,
)


@click.group("divide", cls=VerbGroup, no_args_is_help=True)
def group() -> None:
    """Who has the compute, and what do those without it do?"""


for _verb in _VERBS:
    group.add_command(_verb)
