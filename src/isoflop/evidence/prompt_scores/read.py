"""`read_prompt_scores`: one door for results of models on prompts, whatever wrote them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError, SettingError, closest
from isoflop.evidence.prompt_scores.importers import SCORE_IMPORTERS
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter
from isoflop.evidence.prompt_scores.schemas import MODEL_SCORES_BY_PROMPT, PROMPTS
from isoflop.evidence.sources import digest_of, sources
from isoflop.evidence.table import Table, fingerprint_of
from isoflop.evidence.validate import canonical

if TYPE_CHECKING:
    import polars as pl

    from isoflop.evidence.schema import Schema
    from isoflop.findings import EvidenceKind

Paths = str | Path | Sequence[str | Path]


def read_prompt_scores(
    path: Paths,
    *,
    prompts: str | Path | None = None,
    importer: str | None = None,
    columns: Mapping[str, str] | None = None,
    models: Sequence[str] = (),
    metric: str | None = None,
    filter: str | None = None,
    source: str | None = None,
) -> tuple[Table, Table]:
    """Read what models scored on prompts, and the prompts.

    Parameters
    ----------
    path : path or sequence of path
        A table, a folder with ``scores.*`` and ``prompts.*``, or logs of an evaluation tool.
    prompts : path, optional
        File with the texts, where the table of scores does not hold them.
    importer : str, optional
        Name in `SCORE_IMPORTERS`. Default: recognised by names and first lines.
    columns : mapping of str to str, optional
        Canonical column name to the name in the file, for plain tables.
    models : sequence of str
        Columns of scores of a wide table, one a model.
    metric, filter : str, optional
        Which score, and which reading of the answer, where logs hold several.
    source : str, optional
        Name of the collection, for rows that carry none.

    Returns
    -------
    scores, prompts : Table
        Of schemas ``model_scores_by_prompt`` and ``prompts``.

    Raises
    ------
    EvidenceError
        The files cannot be read or recognised, or a row breaks a rule.
    SettingError
        The importer is unknown, or a map is given for logs, whose columns are fixed.
    """
    files = [Path(path)] if isinstance(path, (str, Path)) else [Path(one) for one in path]
    if not files:
        raise SettingError("load: no file, needs at least one. Name a table, a folder or logs.")
    for file in files:
        if not file.exists():
            raise EvidenceError(f"load: no file or folder {file}. Check the path.")
    chosen = _chosen(files, importer)
    asked = Asked(
        prompts=Path(prompts) if prompts is not None else None,
        columns=dict(columns or {}),
        models=tuple(models),
        metric=metric,
        filter=filter,
        source=source,
    )
    _refuse_unused(asked, chosen)
    found = _found(chosen, files, asked)
    how = f"{chosen.name}, {'asked for' if importer else 'recognised by its layout'}"
    how += f"; {found.choice}" if found.choice else ""
    return _tables(found, files, chosen, asked, how)


def _found(importer: ScoreImporter, files: Sequence[Path], asked: Asked) -> Found:
    """Return what an importer reads; values of another kind than its tool writes are refused."""
    try:
        return importer.read(files, asked)
    except (AttributeError, TypeError, LookupError, UnicodeEncodeError) as problem:
        raise EvidenceError(
            f"load: {files[0].name} is not laid out as {importer.name} knows it "
            f"({type(problem).__name__}: {str(problem)[:120]!r}), needs what that tool writes. Write it "
            "again, or save a table with columns dataset, instance_id, model, score and prompt."
        ) from problem


def _tables(
    found: Found, files: Sequence[Path], chosen: ScoreImporter, asked: Asked, how: str
) -> tuple[Table, Table]:
    name = files[0].resolve().name.split(".")[0]
    kind, origin = _origin(files, chosen)
    tables = []
    for frame, schema, read in (
        (found.scores, MODEL_SCORES_BY_PROMPT, found.rows_read),
        (found.prompts, PROMPTS, found.prompts_read),
    ):
        scores = schema is MODEL_SCORES_BY_PROMPT
        typed, doubts = canonical(frame, schema, files[0].name, _map_for(schema, asked.columns))
        typed = _named_source(typed, asked.source)
        tables.append(
            Table(
                name=name if scores else f"{name}_prompts",
                schema=schema.name,
                frame=typed,
                source=origin,
                kind=kind,
                fingerprint=fingerprint_of(schema.name, typed),
                rows_read=read,
                steps=found.steps if scores else (),
                cautions=(*found.cautions, *doubts) if scores else doubts,
                importer=how,
            )
        )
    return tables[0], tables[1]


def _chosen(files: Sequence[Path], importer: str | None) -> ScoreImporter:
    if importer is not None:
        known = {name.replace("-", "_"): entry for name, entry in SCORE_IMPORTERS.items()}
        if importer.replace("-", "_") in known:
            return known[importer.replace("-", "_")]
        near = closest(importer, SCORE_IMPORTERS)
        raise SettingError(
            f"load: importer={importer!r}, needs one of {', '.join(SCORE_IMPORTERS)}."
            + (f" Did you mean {near}?" if near else "")
        )
    for entry in SCORE_IMPORTERS.values():
        if all(entry.recognises(file) for file in files):
            return entry
    wanted = "; ".join(f"{entry.name}: {entry.needs}" for entry in SCORE_IMPORTERS.values())
    raise EvidenceError(
        f"load: {files[0]} is no known layout of results. Known are {wanted}. Name one with --importer, or "
        "save the results as a table with columns dataset, instance_id, model, score and prompt."
    )


def _refuse_unused(asked: Asked, chosen: ScoreImporter) -> None:
    given: dict[str, object] = {
        "--prompts": asked.prompts,
        "--map": asked.columns,
        "--models": asked.models,
        "--metric": asked.metric,
        "--filter": asked.filter,
    }
    unused = [option for option, value in given.items() if value and option not in chosen.takes]
    if unused:
        raise SettingError(
            f"{unused[0]}: means nothing to importer {chosen.name}, which reads {chosen.needs}. Drop it, or "
            "name another importer."
        )


def _map_for(schema: Schema, columns: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a map that a schema knows; that of scores also gets, and refuses, unknown names."""
    other = PROMPTS if schema is MODEL_SCORES_BY_PROMPT else MODEL_SCORES_BY_PROMPT
    return {
        ours: theirs for ours, theirs in columns.items() if ours in schema.names or ours not in other.names
    }


def _named_source(frame: pl.DataFrame, source: str | None) -> pl.DataFrame:
    import polars as pl

    return frame if source is None else frame.with_columns(pl.col("source").fill_null(source))


def _origin(files: Sequence[Path], chosen: ScoreImporter) -> tuple[EvidenceKind, str]:
    """Return whether the files are registered public ones, and their citation or paths."""
    known = [entry for entry in sources().values() if entry.importer == chosen.name]
    citations: list[str] = []
    for path in files:
        here = [(entry, _named(path, entry.local)) for entry in known]
        same = [
            entry
            for entry, file in here
            if file is not None and digest_of(file) in (entry.sha256, *entry.also_sha256)
        ]
        if not same or len(same) < sum(file is not None for _, file in here):
            return "own", ", ".join(str(file) for file in files)
        citations += [entry.citable for entry in same]
    return "pulled", "; ".join(dict.fromkeys(citations))


def _named(path: Path, local: str) -> Path | None:
    """Return the file at or in `path` that has the name of a registered one."""
    file = path / Path(local).name if path.is_dir() else path
    return file if file.is_file() and file.name == Path(local).name else None
