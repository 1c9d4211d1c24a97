"""``isoflop progress``: how fast do algorithms make compute go further?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.progress import commands_fit

_VERBS = (commands_fit.fit, commands_fit.waterfall, commands_fit.laws)


@click.group("progress", no_args_is_help=True)
def group() -> None:
    """How fast do algorithms make compute go further?"""


for _verb in _VERBS:
    group.add_command(_verb)
