"""Options that the verbs on results share: which results, which models, and what the models cost.

A choice holds what was typed; numerics are imported when it is used, so that ``--help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from isoflop.errors import SettingError
from isoflop.present.options import parse_mapping, with_options
from isoflop.present.parse import Number

if TYPE_CHECKING:
    from isoflop.evidence import Table
    from isoflop.routing.sample import ScoredPrompts

Command = Callable[..., Any]

MEASURED = ("measured_model_scores", "measured_prompts", "measured_models")
"""Shipped tables that a verb without FILE reads: scores, prompts and sizes of the models."""
CATALOGUES = ("models", "llmrouter_models")
"""Stems of a file with sizes and prices that is taken along where it lies beside the scores."""
SCORED = ("prompts", "source", "models", "max_params", "prices")
"""Names of the parameters, for `Verb`'s headings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredChoice:
    """Which results a command was pointed at, as typed.

    Parameters
    ----------
    file : str or None
        Table, folder, logs, or the name of a public collection; None: what ships, or what ``--evidence``
        holds.
    prompts : Path or None
    source : str or None
        Collection to use where the tables hold several.
    models : tuple of str
        Models to keep; empty keeps all.
    max_params : float or None
        Largest model to keep, in parameters.
    prices : str or None
        File with sizes and prices.
    location, importer, mapping
        As everywhere: ``--evidence``, ``--importer``, ``--map``.
    """

    file: str | None = None
    prompts: Path | None = None
    source: str | None = None
    models: tuple[str, ...] = ()
    max_params: float | None = None
    prices: str | None = None
    location: str | None = None
    importer: str | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> ScoredPrompts:
        """Return the joined prompts of the chosen models; stderr says what was recognised.

        Raises
        ------
        EvidenceError
            The files cannot be used, or no model is left.
        SettingError
            Options contradict each other.
        """
        from isoflop.routing.sample import join

        scores, prompts = self.tables()
        return join(scores, prompts, source=self.source, models=self.kept(scores, self.source))

    def tables(self) -> tuple[Table, Table]:
        """Return scores and prompts before they are joined; stderr says what was recognised."""
        from isoflop.present.console import say

        scores, prompts, why = self._read()
        say(
            f"evidence: {scores.name} ({why}), {scores.rows_read} scores and {prompts.rows_read} prompts "
            f"read; {scores.importer}"
        )
        return scores, prompts

    def catalogue(self) -> Table | None:
        """Return sizes and prices of models: ``--prices``, those beside FILE, or those that ship."""
        from isoflop.evidence import EMBEDDED, load
        from isoflop.evidence.prompt_scores import read_catalogue

        if self.prices is not None:
            if self.prices in EMBEDDED and not Path(self.prices).exists():
                return load(self.prices, schema="model_catalogue")
            return read_catalogue(self.prices)
        folder = self._place()
        if folder is None:
            return load(MEASURED[2]) if MEASURED[2] in EMBEDDED else None
        beside = folder if folder.is_dir() else folder.parent
        found = [
            path
            for stem in CATALOGUES
            for ending in (".parquet", ".csv", ".json")
            if (path := beside / f"{stem}{ending}").is_file()
        ]
        return read_catalogue(found[0]) if found else None

    def _read(self) -> tuple[Table, Table, str]:
        from isoflop.evidence.prompt_scores import read_prompt_scores

        place = self._place()
        if place is None:
            return *self._shipped(), "what ships"
        why = "as named" if self.file is not None else f"in {self.location}"
        scores, prompts = read_prompt_scores(
            place, prompts=self.prompts, importer=self.importer, columns=self.mapping or None
        )
        return scores, prompts, why

    def _place(self) -> Path | None:
        """Return the file or folder that was named, or a public collection's; None for what ships."""
        from isoflop.evidence.prompt_scores.public import public_files

        if self.file is not None and Path(self.file).exists():
            return Path(self.file)
        known = public_files(self.file, self.location)
        return known if known is not None or self.file is None else Path(self.file)

    def _shipped(self) -> tuple[Table, Table]:
        from isoflop.evidence import EMBEDDED, load

        given = {"--map": self.mapping, "--importer": self.importer, "--prompts": self.prompts}
        unused = [option for option, value in given.items() if value]
        if unused:
            raise SettingError(
                f"{unused[0]}: no FILE, needs results of yours to read. Name the file, or drop {unused[0]}."
            )
        if MEASURED[0] not in EMBEDDED:
            raise SettingError(
                "FILE: none given and no measured results ship with this copy. Name a table, a folder or "
                "logs."
            )
        return load(MEASURED[0]), load(MEASURED[1])

    def kept(self, scores: Table, source: str | None) -> tuple[str, ...] | None:
        """Return the models that were asked for, or None for all of the source.

        Models whose size is unknown are left out under ``--max-params``, and named.
        """
        import polars as pl

        from isoflop.errors import EvidenceError, closest

        rows = scores.frame
        rows = rows if source is None else rows.filter(pl.col("source") == source)
        present = sorted(rows["model"].drop_nulls().unique().to_list())
        absent = [name for name in self.models if name not in present]
        if absent and present:
            near = closest(absent[0], present)
            raise EvidenceError(
                f"--models: {absent[0]!r} has no scores here; "
                + (f"closest is '{near}'." if near else f"there are {', '.join(present[:12])}.")
                + " Check the names."
            )
        wanted = self.models or None
        return wanted if self.max_params is None else self._small(wanted or tuple(present))

    def _small(self, names: tuple[str, ...]) -> tuple[str, ...]:
        from isoflop.errors import EvidenceError
        from isoflop.present.console import say
        from isoflop.present.formats import number

        limit = self.max_params or 0.0
        table = self.catalogue()
        if table is None:
            raise SettingError(
                "--max-params: sizes of the models are unknown, needs a table with columns model and params. "
                "Name it: --prices FILE"
            )
        known = dict(zip(table.frame["model"], table.frame["params"], strict=True))
        sizes = {name: known.get(name) for name in names}
        unknown = [name for name, size in sizes.items() if size is None]
        kept = tuple(name for name, size in sizes.items() if size is not None and size <= limit)
        if unknown:
            say(f"--max-params: left out, size unknown in {table.name}: {', '.join(unknown)}")
        if len(kept) < 2:
            raise EvidenceError(
                f"--max-params: {len(kept)} of {len(names)} models have at most {number(limit)} parameters, "
                "needs at least 2. Raise the limit, or add sizes."
            )
        say(f"--max-params: {len(kept)} of {len(names)} models kept: {', '.join(kept)}")
        return kept


def _names(_context: click.Context, _option: click.Parameter, text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in (text or "").split(",") if name.strip()))


def scored_options(command: Command) -> Command:
    """Add ``[FILE]`` and the choice of results; the command receives ``scored`` (a `ScoredChoice`)."""

    @wraps(command)
    def wrapped(mapping: tuple[str, ...], **given: Any) -> Any:
        chosen = {name: given.pop(name) for name in ("file", *SCORED, "location", "importer")}
        return command(scored=ScoredChoice(**chosen, mapping=parse_mapping(mapping)), **given)

    return with_options(
        wrapped,
        click.argument("file", metavar="[FILE]", required=False),
        click.option(
            "--prompts",
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="Texts of the prompts, where FILE has scores alone.",
        ),
        click.option("--source", metavar="NAME", help="Collection to use where FILE holds several."),
        click.option("--models", callback=_names, metavar="A,B", help="Models to keep.  [default: all]"),
        click.option(
            "--max-params",
            type=Number(float, 8e9),
            metavar="N",
            help="Keep models of at most N parameters, e.g. 8e9; sizes as in --prices.",
        ),
        click.option(
            "--prices",
            metavar="FILE",
            help="Sizes and prices of the models.  [default: models.csv or .json beside FILE]",
        ),
        click.option(
            "--evidence",
            "location",
            metavar="DIR|embedded",
            help="Folder of public tables, or 'embedded' for what ships.",
        ),
        click.option("--importer", metavar="NAME", help="Reader to use; default: recognised by the layout."),
        click.option(
            "--map",
            "mapping",
            metavar="COLUMN=THEIRS",
            multiple=True,
            help="A column of FILE under another name, e.g. score=acc. May be repeated.",
        ),
    )
