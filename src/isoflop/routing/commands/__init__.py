"""``isoflop routing``: which model for this task, how sure is that, and what does it cost?

The commands parse, call one verb and print. What they need is imported when they run, so that
``--help`` stays quick.
"""

from __future__ import annotations

import click

from isoflop.present.options import VerbGroup
from isoflop.routing.commands import bench, choose, curve, evaluate, import_, lint, router, serve, shortlist

_VERBS = (
    import_.import_,
    lint.lint,
    evaluate.evaluate,
    choose.choose,
    choose.label,
    shortlist.shortlist,
    curve.curve,
    router.fit,
    router.route,
    router.explain,
    router.add_model,
    serve.serve,
    bench.bench,
)


@click.group("routing", cls=VerbGroup, no_args_is_help=True)
def group() -> None:
    """Which model for this task, and serving that choice."""


for _verb in _VERBS:
    group.add_command(_verb)
