"""``isoflop portability``: what still runs elsewhere, and how slowly?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.portability.commands import run, sample, scan, shares, slowdown, targets
from isoflop.present.options import VerbGroup

_VERBS = (
    scan.scan,
    targets.targets,
    targets.catalogue,
    run.run,
    run.resume,
    shares.shares,
    slowdown.slowdown,
    sample.sample,
    run.selfcheck,
)


@click.group("portability", cls=VerbGroup, no_args_is_help=True)
def group() -> None:
    """What still runs elsewhere, and how slowly?"""


for _verb in _VERBS:
    group.add_command(_verb)
