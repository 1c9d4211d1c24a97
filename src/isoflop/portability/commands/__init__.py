"""``isoflop portability``: what still runs elsewhere, and how slowly?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.portability.commands import (
    compare,
    merge,
    paper,
    replay,
    run,
    sample,
    scan,
    shares,
    slowdown,
    targets,
    trace,
)
from isoflop.present.options import VerbGroup

_VERBS = (
    scan.scan,
    scan.usage,
    trace.trace,
    targets.targets,
    targets.catalogue,
    sample.sample,
    run.run,
    run.resume,
    run.selfcheck,
    replay.replay,
    shares.shares,
    slowdown.slowdown,
    compare.compare,
    merge.merge,
    merge.bundle,
    paper.paper,
)


@click.group("portability", cls=VerbGroup, no_args_is_help=True)
def group() -> None:
    """What still runs elsewhere, and how slowly?"""


for _verb in _VERBS:
    group.add_command(_verb)
