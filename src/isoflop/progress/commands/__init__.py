"""``isoflop progress``: how fast do algorithms make compute go further?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.present.options import VerbGroup
from isoflop.progress.commands import beside, compare, fit, questions, sweep

_VERBS = (
    fit.fit,
    compare.compare,
    sweep.sweep,
    sweep.aggregate,
    questions.decompose,
    questions.gain,
    beside.match,
    sweep.check,
    beside.stitch,
    beside.trend,
    fit.waterfall,
    fit.laws,
)


@click.group("progress", cls=VerbGroup, no_args_is_help=True)
def group() -> None:
    """How fast do algorithms make compute go further?"""


for _verb in _VERBS:
    group.add_command(_verb)
