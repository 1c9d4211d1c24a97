"""Sample logs of lm-evaluation-harness: ``samples_<task>_<date>.jsonl`` in a folder for each model.

One row is one document under one filter (a way of reading the answer out of the text), with every metric as a
top-level value named in ``metrics``. The model's name stands in the ``results_<date>.json`` beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.files import json_lines, read_json
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter, Tally, one_of, tallied
from isoflop.evidence.prompt_scores.rows import frame_of, number, texts_of

_NAME = re.compile(r"samples_(?P<task>.+)_(?P<date>\d{4}-\d{2}-\d{2}T[\d.\-]+)\.jsonl(\.gz)?")
_PREFERRED = ("acc", "exact_match", "pass@1", "acc_norm", "prompt_level_strict_acc", "mc1", "em", "f1")
"""Metrics taken first where a task has several, correctness before likeness; the choice is recorded."""


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    task: str
    date: str
    model: str


def _recognises(path: Path) -> bool:
    return next(_sample_files(path), None) is not None


def _sample_files(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (file for file in sorted(path.rglob("samples_*")) if _NAME.fullmatch(file.name))
    elif _NAME.fullmatch(path.name):
        yield path


def _read(paths: Sequence[Path], asked: Asked) -> Found:
    files, older = _newest(paths)
    unscored = Tally(rule="the metric is a number")
    filtered = Tally(rule="the chosen filter")
    rows: list[dict[str, Any]] = []
    texts: dict[tuple[str, str], dict[str, Any]] = {}
    chosen: dict[str, str] = {}
    read = 0
    for file in files:
        for line, sample in json_lines(file.path):
            read += 1
            _known_layout(sample, line, file.path.name)
            filter_name = str(sample.get("filter", "none"))
            wanted = asked.filter or chosen.setdefault(f"filter of {file.task}", filter_name)
            where = f"{file.path.name}, line {line}"
            if filter_name != wanted:
                filtered.drop(f"{where}: filter {filter_name}")
                continue
            metric = _metric(sample, asked.metric, chosen, file)
            score = number(sample.get(metric))
            if score is None:
                unscored.drop(f"{where}: {metric} is {sample.get(metric)!r}")
                continue
            instance = f"{file.task}/{sample['doc_id']}"
            rows.append(
                {
                    "dataset": file.task,
                    "instance_id": instance,
                    "model": file.model,
                    "score": score,
                    "metric": metric,
                }
            )
            texts.setdefault((file.task, instance), {"prompt": _prompt(sample, where)})
    if asked.filter is not None and not rows and filtered.dropped:
        raise EvidenceError(
            f"load: filter {asked.filter!r} is in no sample, needs one that is, e.g. "
            f"{filtered.rows[0].rpartition(' ')[2]}. Name it: --filter NAME"
        )
    choice = "; ".join(f"{what} {name}" for what, name in sorted(chosen.items())[:6])
    steps = tallied(filtered, unscored, kept=len(rows))
    return Found(
        scores=frame_of(rows, asked.source or "lm_eval", files[0].path.name, steps),
        prompts=texts_of(texts, asked.source or "lm_eval"),
        rows_read=read,
        prompts_read=len(texts),
        steps=steps,
        cautions=older,
        choice=choice,
    )


def _newest(paths: Sequence[Path]) -> tuple[list[_File], tuple[str, ...]]:
    """Return the last file of each model and task; earlier runs are named in a caution."""
    newest: dict[tuple[str, str], _File] = {}
    older = 0
    for path in (file for given in paths for file in _sample_files(given)):
        parts = _NAME.fullmatch(path.name)
        if parts is None:
            continue
        file = _File(path, parts["task"], parts["date"], _model(path.parent, parts["date"]))
        known = newest.get((file.model, file.task))
        older += known is not None
        if known is None or file.date > known.date:
            newest[file.model, file.task] = file
    if not newest:
        raise EvidenceError(
            f"load: {paths[0]} holds no samples_<task>_<date>.jsonl, which lm-evaluation-harness writes "
            "under --log_samples. Run it with that option, or name the folder."
        )
    said = f"{older} earlier runs of the same model and task were left out. Move them away if this is wrong."
    return list(newest.values()), (said,) if older else ()


def _model(folder: Path, date: str) -> str:
    """Return the model's name from the results beside the samples, else the folder's name."""
    same = [folder / f"results_{date}.json", *sorted(folder.glob("results_*.json"), reverse=True)]
    for path in same:
        if path.is_file():
            results = read_json(path)
            name = results.get("model_name") if isinstance(results, dict) else None
            if isinstance(name, str) and name.strip():
                return name.strip()
    return folder.name.replace("__", "/")


def _known_layout(sample: Mapping[str, Any], line: int, where: str) -> None:
    missing = [name for name in ("doc_id", "arguments") if name not in sample]
    if missing:
        raise EvidenceError(
            f"load: line {line} of {where} has no {missing[0]!r}, which samples of lm-evaluation-harness "
            "have. Is it another tool's log? Name its importer."
        )


def _metric(sample: Mapping[str, Any], wanted: str | None, chosen: dict[str, str], file: _File) -> str:
    present = sample.get("metrics")
    if not isinstance(present, list):
        # Versions before the list existed put metrics last, as the only plain numbers.
        reserved = ("doc_id",)
        present = [
            name for name, value in sample.items() if isinstance(value, (int, float)) and name not in reserved
        ]
    if wanted is not None:
        return one_of(wanted, present, "metric", "--metric", file.path.name)
    key = f"metric of {file.task}"
    if key not in chosen:
        preferred = next((name for name in _PREFERRED if name in present), None)
        chosen[key] = preferred or one_of(None, present, "metric", "--metric", file.path.name)
    return chosen[key]


def _prompt(sample: Mapping[str, Any], where: str) -> str | None:
    """Return the first argument of the first request; of a chat, its messages' texts."""
    arguments = sample["arguments"]
    first = next(iter(arguments.values()), None) if isinstance(arguments, dict) else arguments
    if isinstance(first, list) and first and not isinstance(arguments, dict):
        first = first[0]
    text = first.get("arg_0") if isinstance(first, dict) else first
    while isinstance(text, list) and text:
        text = text[0]
    if not isinstance(text, str):
        raise EvidenceError(
            f"load: {where}: arguments hold no text, needs the prompt as first argument. The layout is "
            "unknown: save the results as a table with columns dataset, instance_id, model, score and prompt."
        )
    return _chat(text) if text.startswith('[{"') else text


def _chat(text: str) -> str:
    """Return the contents of chat messages written as JSON, or the text itself if it is none."""
    try:
        messages = json.loads(text)
    except json.JSONDecodeError:
        return text
    if not all(isinstance(m, dict) and isinstance(m.get("content"), str) for m in messages):
        return text
    return "\n\n".join(message["content"] for message in messages)


LM_EVAL = ScoreImporter(
    name="lm_eval",
    doc="Sample logs of lm-evaluation-harness (--log_samples), a folder for each model.",
    recognises=_recognises,
    read=_read,
    needs="samples_<task>_<date>.jsonl",
    takes=frozenset(("--metric", "--filter")),
)
