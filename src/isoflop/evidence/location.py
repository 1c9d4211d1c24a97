"""Where evidence is looked for: a named folder, the cache that `pull` fills, or what ships."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError, SourceError, closest
from isoflop.evidence.embedded import EMBEDDED
from isoflop.evidence.load import load
from isoflop.evidence.pull import cache_folder
from isoflop.evidence.sources import source, sources
from isoflop.evidence.table import Table
from isoflop.findings import EvidenceKind

EVIDENCE = "ISOFLOP_EVIDENCE"
PUBLIC_TABLES = {
    "lm_evaluations": "progress/lm_evaluations.csv",
    "capabilities": "progress/eci",
    "benchmark_difficulties": "progress/eci/eci_benchmark_difficulties_and_slopes.csv",
    "index_scale": "progress/eci/eci_scaling.csv",
    "benchmark_scores": "progress/benchmark_stitching",
    "ai_and_efficiency": "progress/ai_and_efficiency_sota.csv",
    "chinchilla_points": "scaling/chinchilla/svg_extracted_data.csv",
    "isoflops": "scaling/isoflops/isoflops.csv",
    "misfitting": "scaling/misfitting/scaling_results_last_ckpt_only.csv",
    "openlm": "scaling/openlm/openlm_testbed.csv",
    "olmo_ladder": "scaling/olmo_ladder/ladder_last_rows.csv",
    "datablations": "scaling/datablations/training_runs.csv",
    "learning_curves_language": "scaling/learning_curves/benchmark.lang.csv",
    "learning_curves_image": "scaling/learning_curves/benchmark.vision.birds_cifar.csv",
    "double_descent_width": "scaling/learning_curves/nlp-model-dd.csv",
    "double_descent_samples": "scaling/learning_curves/dd-translation-samples.csv",
    "obsscaling": "scaling/obsscaling",
    "obsscaling_benchmarks": "scaling/obsscaling/base_llm_benchmark_eval.csv",
    "obsscaling_sub_10b": "scaling/obsscaling/base_llm_benchmark_eval_sub_10b.csv",
    "obsscaling_emergent": "scaling/obsscaling/base_llm_emergent_capability_eval.csv",
    "obsscaling_leaderboard": "scaling/obsscaling/base_llm_leaderboard_v2_eval.csv",
    "obsscaling_post_training": "scaling/obsscaling/base_llm_post_training_eval.csv",
    "obsscaling_agent": "scaling/obsscaling/instruct_llm_agent_eval.csv",
    "obsscaling_instruct": "scaling/obsscaling/instruct_llm_benchmark_eval.csv",
    "sloth": "scaling/sloth/data_v2.csv",
    "study_summaries": "scaling/robotics/sartor_thompson_summary.csv",
    "robotics_exponents": "scaling/robotics/published_exponents.csv",
    "robotics_points": "scaling/robotics/scaling_points.csv",
    "epoch_models_2023": "divide/epoch_models_2023-12-20.csv",
    "epoch_notable_ai_models": "divide/epoch_notable_ai_models_2025-02.csv",
    "epoch_all_ai_models": "divide/epoch_all_ai_models_2025-04.csv",
    "hardware_prices": "divide/epoch_hardware_prices_2025-08.csv",
    "ml_papers_2013_2018": "divide/ml_papers_2013_2018.csv.gz",
    "ml_papers_2019_2025": "divide/ml_papers_2019_2025.csv.gz",
    "routing_scores": "routing/scores.parquet",
    "routing_prompts": "routing/prompts.parquet",
    "portability_outcomes": "portability/outcomes.csv.gz",
    "portability_timings": "portability/timings.csv.gz",
    "portability_usage": "portability/function_frequencies.csv",
}
"""Public tables by name, and their place in an evidence folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """A place with evidence in it.

    Parameters
    ----------
    folder : Path or None
        Root laid out as ``<instrument>/…``; None where only the shipped tables are used.
    kind : {"embedded", "pulled", "own"}
        What the folder holds, as a whole; a table says its own kind.
    chosen_by : str
        Why this place: an option, an environment variable, the cache, or nothing else.
    given : mapping of str to Table
        The user's own tables, by the names that they take the place of; see `with_tables`.
    """

    folder: Path | None
    kind: EvidenceKind
    chosen_by: str
    given: Mapping[str, Table] = field(default_factory=dict)

    def with_tables(self, tables: Mapping[str, Any]) -> Library:
        """Return the same place with the user's own tables on top.

        Parameters
        ----------
        tables : mapping of str to table
            Name of the table to take the place of, and a data frame of any library, a path, or a `Table`.

        Raises
        ------
        EvidenceError
            A name is unknown or read from a folder only, or a table cannot be used.

        Examples
        --------
        >>> from isoflop.evidence import load, locate
        >>> facts = load("language_evaluations").frame.head(100)
        >>> mine = locate("embedded").with_tables({"language_evaluations": facts})
        >>> mine.table("language_evaluations").kind
        'own'
        """
        made = {name.replace("-", "_"): _given(name, table) for name, table in tables.items()}
        return replace(self, given={**self.given, **made})

    def find(self, relative: str) -> Path | None:
        """Return the file or folder at this place in the layout, or None."""
        path = self.folder / relative if self.folder else None
        return path if path is not None and path.exists() else None

    def describe(self) -> str:
        """Return one line that a report can print."""
        mine = f"; your own {', '.join(self.given)}" if self.given else ""
        if self.folder is None:
            return f"facts shipped with isoflop ({self.chosen_by}){mine}"
        here = [name for name, place in PUBLIC_TABLES.items() if self.find(place)]
        registered = sum(self.find(entry.local) is not None for entry in sources().values())
        return (
            f"{self.folder} ({self.chosen_by}): {registered} of {len(sources())} registered files"
            + (f"; tables {', '.join(here)}" if here else "")
            + mine
        )

    def available(self) -> tuple[str, ...]:
        """Return the names that `table` can give here."""
        here = (*self.given, *(name for name, place in PUBLIC_TABLES.items() if self.find(place)), *EMBEDDED)
        return tuple(dict.fromkeys(here))

    def table(self, name: str, *, schema: str | None = None) -> Table:
        """Return a table by its name: a shipped one, a public table or a registered source.

        `schema` is what is needed: it chooses between two readings of one file, and another
        schema is refused.

        Raises
        ------
        SourceError
            The table is known but not here; the message says how to get it.
        EvidenceError
            No table has that name, or its file cannot be used.
        """
        folded = name.replace("-", "_")
        if folded in self.given:
            return _as(self.given[folded], schema)
        if folded in EMBEDDED:
            return load(folded, schema=schema)
        place = PUBLIC_TABLES.get(folded)
        if place is None:
            names = [*PUBLIC_TABLES, *EMBEDDED, *sources()]
            if name not in sources() and folded not in {n.replace("-", "_") for n in sources()}:
                near = closest(name, names)
                raise EvidenceError(
                    f"table: {name!r} is no known table"
                    + (f"; closest is '{near}'." if near else ".")
                    + " List them with isoflop data list."
                )
            place = source(name).local
        path = self.find(place)
        if path is None:
            raise SourceError(
                f"table: {name} is not in {self.folder or 'the shipped facts'}. {_how(folded, place)}"
            )
        return load(path, schema=schema, name=folded)


def locate(where: str | Path | None = None) -> Library:
    """Return the place to take evidence from.

    Parameters
    ----------
    where : path or "embedded", optional
        A folder laid out like the cache, or the shipped facts only. Default: the environment
        variable ``ISOFLOP_EVIDENCE``, else the cache if `pull` has filled it, else the shipped
        facts.

    Raises
    ------
    EvidenceError
        The named folder does not exist.

    Examples
    --------
    >>> locate("embedded").describe()
    'facts shipped with isoflop (asked for)'
    """
    if where is not None:
        return _named(str(where), "asked for")
    named = os.environ.get(EVIDENCE)
    if named:
        return _named(named, EVIDENCE)
    cache = cache_folder()
    if any((cache / entry.local).is_file() for entry in sources().values()):
        return Library(folder=cache, kind="pulled", chosen_by="the cache")
    return Library(folder=None, kind="embedded", chosen_by="nothing was pulled")


FOLDER_ONLY = frozenset(
    {"routing_scores", "routing_prompts", "portability_outcomes", "portability_timings", "portability_usage"}
)
"""Public tables that instruments read together, from their folder."""


def _given(name: str, table: Any) -> Table:
    folded = name.replace("-", "_")
    usable = [known for known in (*EMBEDDED, *PUBLIC_TABLES) if known not in FOLDER_ONLY]
    if folded not in usable:
        near = closest(name, usable)
        hint = f"Did you mean {near!r}?" if near else f"Choose one of {', '.join(usable)}."
        if folded in FOLDER_ONLY:
            hint = "It is read from a folder: name the folder as evidence."
        raise EvidenceError(f"evidence: {name!r} is no table that yours can take the place of. {hint}")
    schema = EMBEDDED[folded].schema if folded in EMBEDDED else None
    return _as(table, schema) if isinstance(table, Table) else load(table, schema=schema, name=folded)


def _as(table: Table, schema: str | None) -> Table:
    if schema not in (None, table.schema):
        raise EvidenceError(
            f"evidence: your {table.name} has schema {table.schema}, needs {schema}. Name another table."
        )
    return table


def _named(where: str, chosen_by: str) -> Library:
    if where == "embedded":
        return Library(folder=None, kind="embedded", chosen_by=chosen_by)
    folder = Path(where).expanduser()
    if not folder.is_dir():
        raise EvidenceError(
            f"evidence: no folder {where} ({chosen_by}), needs a folder or the word embedded. Check the path."
        )
    return Library(folder=folder, kind="own", chosen_by=chosen_by)


def _how(name: str, place: str) -> str:
    entry = next((e for e in sources().values() if e.local == place or e.importer == name), None)
    if entry is None:
        return f"Put it at {place} of a folder named by {EVIDENCE}."
    return f"Fetch it: isoflop data pull {entry.name}"
