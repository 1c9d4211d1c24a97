"""Which commands have a page, and the little that a command does not say of itself.

Options, their defaults, choices and help come from the commands. Here stands only what they read, which
settings come first, and what they write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import click

from isoflop.report.instruments import INSTRUMENTS, resolve

Name = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One command with a page.

    Parameters
    ----------
    name : (instrument, verb)
    command : click.Command
    schemas : tuple of str
        Tables that it reads as FILE; empty where it reads none, or any file.
    main : tuple of str
        Parameters that are asked first.
    outputs : mapping of str to str
        Parameter to the file it is given in the job's folder.
    """

    name: Name
    command: click.Command
    schemas: tuple[str, ...] = ()
    main: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Return the name as it is typed."""
        return " ".join(self.name)

    @property
    def question(self) -> str:
        """Return its line in the list of commands."""
        return self.command.get_short_help_str(limit=300)

    @property
    def address(self) -> str:
        """Return the path of its page."""
        return "/" + "/".join(self.name)

    @property
    def file_field(self) -> str:
        """Return the parameter that takes the table or files, or an empty string."""
        arguments = [param.name for param in self.command.params if isinstance(param, click.Argument)]
        named = [
            name
            for name in arguments
            if name in ("files", "file", "paths", "results", "usage", "runs", "run")
        ]
        return named[0] or "" if named else ""


ONLY_TYPED: Final[Mapping[Name, str]] = {
    ("divide", "plan"): "works on a snapshot of hundreds of gigabytes",
    ("divide", "extract"): "works on a snapshot of hundreds of gigabytes",
    ("divide", "status"): "works on a snapshot of hundreds of gigabytes",
    ("routing", "route"): "answers a stream of prompts line by line",
    ("routing", "serve"): "runs until it is stopped",
    ("portability", "trace"): "runs a script of yours",
    ("portability", "resume"): "goes on with a folder of your own",
    ("portability", "replay"): "runs one task of a folder of your own",
    ("portability", "paper"): "reads a folder of your own",
}
"""Commands without a page, each with the reason."""

SCHEMAS: Final[Mapping[str, tuple[Name, ...]]] = {
    "scaling_runs": tuple(
        ("scaling", verb) for verb in ("fit", "frontier", "influence", "design", "compare", "forecast")
    ),
    "learning_curves": (("scaling", "forecast"), ("scaling", "compare")),
    "downstream_runs": (("scaling", "downstream"),),
    "model_scores": (("scaling", "observe"), ("routing", "shortlist")),
    "study_points": tuple(("scaling", verb) for verb in ("pool", "studies", "emergence", "returns", "lint")),
    "evaluations": tuple(
        ("progress", verb)
        for verb in (
            *("fit", "compare", "sweep", "aggregate", "decompose", "gain", "match", "check", "waterfall"),
        )
    ),
    "scores": (("progress", "stitch"),),
    "capabilities": (("progress", "trend"),),
    "models": tuple(
        ("divide", verb)
        for verb in (
            *("gap", "growth", "shares", "specification", "audit", "coverage", "influence", "power"),
            *("deciles", "openness", "concentration", "afford", "classify"),
        )
    ),
    "works": tuple(("divide", verb) for verb in ("represent", "impact", "adopt", "classify")),
    "model_scores_by_prompt": tuple(
        ("routing", verb) for verb in ("evaluate", "choose", "label", "curve", "fit", "lint")
    ),
    "portability_results": tuple(("portability", verb) for verb in ("shares", "slowdown", "merge", "bundle")),
    "portability_usage": (("portability", "sample"),),
}
"""Tables to the commands that read them as FILE, the likeliest first."""

MAIN: Final[Mapping[Name, tuple[str, ...]]] = {
    ("scaling", "fit"): ("x", "law", "at_flop", "bootstrap"),
    ("scaling", "frontier"): ("law", "at_flop", "bootstrap"),
    ("scaling", "influence"): ("law", "at_flop"),
    ("scaling", "design"): ("law", "budget_flop", "target"),
    ("scaling", "compare"): ("laws", "cv", "score"),
    ("scaling", "pool"): ("method", "floor", "groups"),
    ("progress", "fit"): ("task", "law", "since", "bootstrap"),
    ("progress", "sweep"): ("task", "law"),
    ("progress", "compare"): ("task",),
    ("progress", "decompose"): ("start", "end", "value"),
    ("progress", "gain"): ("start", "end"),
    ("divide", "growth"): ("filter", "since", "public_research"),
    ("divide", "gap"): ("filter", "since", "at_year"),
    ("divide", "shares"): ("filter", "since", "unknown"),
    ("divide", "afford"): ("budgets", "commitment", "since"),
    ("divide", "classify"): ("column", "strict", "explain"),
    ("routing", "evaluate"): ("prompts", "encoder", "split"),
    ("routing", "choose"): ("task", "prompts", "encoder"),
    ("routing", "label"): ("task", "labels", "prompts"),
    ("routing", "fit"): ("prompts", "prices", "encoder", "policy"),
    ("routing", "curve"): ("prompts", "prices", "encoder"),
    ("routing", "shortlist"): ("task", "kind", "max_price"),
    ("routing", "import"): ("paths", "importer", "prompts"),
    ("routing", "explain"): ("text", "source", "policy"),
    ("portability", "scan"): ("paths", "targets", "slower_than"),
    ("portability", "run"): ("framework", "listed", "functions", "timing"),
    ("portability", "shares"): ("framework", "target", "by"),
    ("portability", "slowdown"): ("framework", "target"),
}

OUTPUTS: Final[Mapping[Name, Mapping[str, str]]] = {
    ("routing", "fit"): {"out": "router.npz"},
    ("routing", "import"): {"out": "imported"},
    ("routing", "add-model"): {"out": "router.npz"},
    ("portability", "scan"): {"sarif_file": "scan.sarif", "html_file": "scan.html"},
    ("portability", "catalogue"): {"out": "catalogue.jsonl"},
    ("portability", "sample"): {"out": "sample.json"},
    ("portability", "run"): {"out": "run"},
    ("portability", "merge"): {"out": "merged.parquet"},
    ("portability", "bundle"): {"out": "bundle.zip"},
}


@cache
def verbs() -> Mapping[Name, Verb]:
    """Return every command with a page, in the order in which the instruments list them."""
    found: dict[Name, Verb] = {}
    for instrument in INSTRUMENTS:
        group = resolve(instrument.commands)
        context = click.Context(group)
        for word in group.list_commands(context):
            name = (instrument.name, word)
            command = group.get_command(context, word)
            if name in ONLY_TYPED or command is None:
                continue
            found[name] = Verb(
                name=name,
                command=command,
                schemas=tuple(schema for schema, readers in SCHEMAS.items() if name in readers),
                main=MAIN.get(name, ()),
                outputs=OUTPUTS.get(name, {}),
            )
    return found


def readers(schema: str) -> tuple[Verb, ...]:
    """Return the commands that read a table of this schema, the likeliest first."""
    return tuple(verbs()[name] for name in SCHEMAS.get(schema, ()))
