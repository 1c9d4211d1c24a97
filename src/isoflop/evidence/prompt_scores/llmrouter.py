"""LLMRouter's questions with a score for each model, in ``train.json`` and ``test.json``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.files import read_json, read_rows
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter
from isoflop.evidence.prompt_scores.peek import first_record

if TYPE_CHECKING:
    pass


def _is_llmrouter(path: Path) -> bool:
    if path.is_dir():
        return any(
            _is_llmrouter(path / name) for name in ("train.json", "test.json") if (path / name).is_file()
        )
    record = first_record(path)
    return isinstance(record.get("question"), str) and isinstance(record.get("scores"), dict)


def _llmrouter(paths: Sequence[Path], asked: Asked) -> Found:
    """Read questions with a score for each model; the files name no task.

    With ``prompts=`` a table of prompts and their datasets gives the tasks, matched by text.
    """
    import polars as pl

    source = asked.source or "llmrouter"
    tasks = _tasks(asked.prompts) if asked.prompts is not None else None
    scores, prompts, unknown, read = [], [], 0, 0
    for file in (file for path in paths for file in _json_files(path)):
        rows = read_json(file)
        for at, row in enumerate(rows if isinstance(rows, list) else ()):
            question, cells = row.get("question"), row.get("scores")
            if not isinstance(question, str) or not isinstance(cells, dict):
                raise EvidenceError(
                    f"load: entry {at + 1} of {file.name} has no question and scores, which LLMRouter's "
                    "files have. Is it another file?"
                )
            read += 1
            dataset = file.stem if tasks is None else tasks.get(question.strip())
            if dataset is None:
                unknown += 1
                continue
            identity = {"source": source, "dataset": dataset, "instance_id": f"{file.stem}/{at}"}
            prompts.append(identity | {"prompt": question})
            scores += [identity | {"model": model, "score": score} for model, score in cells.items()]
    if not scores:
        raise EvidenceError(
            f"load: no question of {paths[0]} is in {asked.prompts or 'it'}, needs some. Do the texts agree?"
        )
    doubt = (
        "The files name no task, so each file counts as one dataset: enough for random splits, not for "
        "leaving tasks out. Give the task of each question: --prompts FILE with columns prompt and dataset."
        if tasks is None
        else f"{unknown} of {read} questions have no task in {asked.prompts.name if asked.prompts else ''} "
        "and were left out. Complete the table."
    )
    return Found(
        scores=pl.DataFrame(scores, infer_schema_length=None),
        prompts=pl.DataFrame(prompts, infer_schema_length=None),
        rows_read=read,
        prompts_read=read,
        cautions=(doubt,) if tasks is None or unknown else (),
        choice="tasks by text" if tasks is not None else "each file one dataset",
    )


def _json_files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return [file for name in ("train.json", "test.json") if (file := path / name).is_file()]


def _tasks(path: Path) -> dict[str, str]:
    """Return the dataset of each text of a table of prompts."""
    raw = read_rows(path)
    text = next((name for name in ("prompt", "query", "question") if name in raw.columns), None)
    task = next((name for name in ("dataset", "task_name", "task") if name in raw.columns), None)
    if text is None or task is None:
        raise EvidenceError(
            f"load: {path.name} has no columns prompt and dataset (or query and task_name), needs both. It "
            f"has {', '.join(raw.columns)}."
        )
    pairs = zip(raw[text].to_list(), raw[task].to_list(), strict=True)
    return {str(words).strip(): str(name) for words, name in pairs if words is not None and name is not None}


LLMROUTER = ScoreImporter(
    name="llmrouter",
    doc="LLMRouter's train.json and test.json: questions with a score for each model.",
    recognises=_is_llmrouter,
    read=_llmrouter,
    needs="objects with question and scores",
    takes=frozenset(("--prompts",)),
)
