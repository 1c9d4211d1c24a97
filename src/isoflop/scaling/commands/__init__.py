"""``isoflop scaling``: how much better does more buy, how sure is that, and what to train next?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.present.options import VerbGroup
from isoflop.scaling.commands import compare, downstream, emergence, forecast, laws, lint, pool, runs

_VERBS = (
    runs.fit,
    runs.frontier,
    runs.influence,
    runs.design,
    compare.compare,
    forecast.forecast,
    downstream.downstream,
    downstream.observe,
    laws.laws,
    pool.studies,
    pool.pool,
    emergence.emergence,
    emergence.returns,
    emergence.power,
    lint.lint,
)


@click.group("scaling", cls=VerbGroup, no_args_is_help=True)
def group() -> None:
    """How much better does more buy, and what to train next?"""


for _verb in _VERBS:
    group.add_command(_verb)
