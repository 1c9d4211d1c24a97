"""Logs of Inspect: ``.eval`` archives (a zip of JSON) and ``.json`` files, one task and model each.

A sample carries its input, the value of each scorer, tokens and time. Repeated epochs are averaged into one
score with ``n_samples``; samples with an error, an invalidation or no value are dropped and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.archive import is_archive, members, read_member
from isoflop.evidence.prompt_scores.files import parse_json, read_json
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter, Tally, one_of, tallied
from isoflop.evidence.prompt_scores.rows import averaged, frame_of, number, texts_of

LETTERS = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Correct, incorrect, partly correct, no answer."""
_WORDS = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
_HEADERS = ("header.json", "_journal/start.json")
"""A log whose run has not ended has only the second."""


def _recognises(path: Path) -> bool:
    if path.is_dir():
        return any(path.rglob("*.eval")) or any(_recognises(file) for file in path.rglob("*.json"))
    if path.suffix == ".eval":
        return True
    if path.suffix != ".json":
        return False
    with path.open("rb") as file:
        head = file.read(4096)
    return b'"eval"' in head and b'"version"' in head


def _read(paths: Sequence[Path], asked: Asked) -> Found:
    logs = [log for path in paths for log in _logs(path)]
    if not logs:
        raise EvidenceError(
            f"load: folder {paths[0]} holds no .eval or .json log of Inspect. Name the folder of logs."
        )
    again = Tally(rule="each sample once")
    failed = Tally(rule="the sample ran without error")
    void = Tally(rule="the sample was not declared invalid")
    unscored = Tally(rule="the scorer gave a value")
    epochs: dict[tuple[str, str, str], list[dict[str, float | None]]] = {}
    texts: dict[tuple[str, str], dict[str, Any]] = {}
    seen: set[object] = set()
    scorers: dict[str, str] = {}
    read = 0
    for log in logs:
        header, samples = _opened(log)
        task, model = _named(header, log)
        for sample in samples:
            read += 1
            instance = f"{task}/{sample.get('id')}"
            where = f"{log.name}, sample {sample.get('id')}, epoch {sample.get('epoch', 1)}"
            # A retried run carries over the samples that its predecessor had finished.
            if sample.get("uuid") is not None and sample["uuid"] in seen:
                again.drop(where)
                continue
            seen.add(sample.get("uuid"))
            if sample.get("error"):
                failed.drop(where)
                continue
            if sample.get("invalidation"):
                void.drop(where)
                continue
            values = _values(sample)
            if task not in scorers and values:
                scorers[task] = one_of(asked.metric, list(values), "scorer", "--metric", log.name)
            score = _score(values.get(scorers.get(task, "")))
            if score is None:
                unscored.drop(where)
                continue
            epochs.setdefault((task, instance, model), []).append({"score": score, **_usage(sample, model)})
            texts.setdefault((task, instance), {"prompt": _text(sample)})
    rows = [
        {"dataset": task, "instance_id": instance, "model": model, "metric": scorers[task]} | averaged(found)
        for (task, instance, model), found in epochs.items()
    ]
    source = asked.source or "inspect"
    choice = "; ".join(f"scorer of {task} {name}" for task, name in sorted(scorers.items())[:6])
    kept = sum(len(found) for found in epochs.values())
    steps = tallied(again, failed, void, unscored, kept=kept)
    return Found(
        scores=frame_of(rows, source, logs[0].name, steps),
        prompts=texts_of(texts, source),
        rows_read=read,
        prompts_read=len(texts),
        steps=steps,
        choice=choice,
    )


def _logs(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted([*path.rglob("*.eval"), *(file for file in path.rglob("*.json") if _recognises(file))])


def _opened(path: Path) -> tuple[Mapping[str, Any], Iterator[Mapping[str, Any]]]:
    """Return the header of a log and its samples, read one at a time from an archive."""
    if is_archive(path):
        names = members(path)
        header = next((name for name in _HEADERS if name in names), None)
        inside = [name for name in names if name.startswith("samples/") and name.endswith(".json")]
        if header is None:
            raise EvidenceError(
                f"load: {path.name} is a zip without header.json, needs a log of Inspect. Is it another "
                "archive?"
            )
        if any(name.count("/") > 1 for name in inside):
            raise EvidenceError(
                f"load: {path.name} keeps samples in pieces, needs one file a sample. Convert it: inspect "
                "log convert --to json"
            )
        samples = (_whole(parse_json(read_member(path, n), f"{path.name}, {n}"), path) for n in inside)
        return _whole(parse_json(read_member(path, header), f"{path.name}, {header}"), path), samples
    content = _whole(read_json(path), path)
    held = content.get("samples") or []
    return content, (_whole(sample, path) for sample in held)


def _whole(value: Any, path: Path) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise EvidenceError(
            f"load: {path.name} holds {type(value).__name__} where an object is needed. Is it a log "
            "of Inspect?"
        )
    return value


def _named(header: Mapping[str, Any], path: Path) -> tuple[str, str]:
    about = header.get("eval")
    task, model = (about.get("task"), about.get("model")) if isinstance(about, dict) else (None, None)
    if not isinstance(task, str) or not isinstance(model, str):
        raise EvidenceError(
            f"load: {path.name} names no eval.task and eval.model, which a log of Inspect does. Is it "
            "another tool's file?"
        )
    return task, model


def _values(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of each scorer; a scorer with several values counts once for each, by name."""
    scores = sample.get("scores") or {}
    found: dict[str, Any] = {}
    for scorer, score in scores.items():
        value = score.get("value") if isinstance(score, dict) else score
        if isinstance(value, dict):
            found |= {f"{scorer}.{key}": one for key, one in value.items()}
        else:
            found[scorer] = value
    return found


def _score(value: Any) -> float | None:
    if isinstance(value, str):
        known = LETTERS.get(value, _WORDS.get(value.lower()))
        return known if known is not None else number(value)
    return number(value)


def _usage(sample: Mapping[str, Any], model: str) -> dict[str, float | None]:
    """Return tokens, cost and time of the model under test; a grader's tokens are not its own."""
    spent = sample.get("model_usage") or {}
    own = spent.get(model) or (next(iter(spent.values())) if len(spent) == 1 else {})
    return {
        "tokens_in": number(own.get("input_tokens")),
        "tokens_out": number(own.get("output_tokens")),
        "cost_usd": number(own.get("total_cost")),
        "latency_s": number(sample.get("total_time")),
    }


def _text(sample: Mapping[str, Any]) -> str:
    """Return the input's text; of a chat, the texts of its messages."""
    attached = sample.get("attachments") or {}
    given = sample.get("input")
    parts = [given] if isinstance(given, str) else [text for m in given or () for text in _content(m)]
    return "\n\n".join(
        str(attached.get(part.removeprefix("attachment://"), part))
        if part.startswith("attachment://")
        else part
        for part in parts
    )


def _content(message: Mapping[str, Any]) -> list[str]:
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if part.get("type") == "text" and "text" in part]


INSPECT = ScoreImporter(
    name="inspect",
    doc="Logs of Inspect: .eval archives or .json files, one task and model each.",
    recognises=_recognises,
    read=_read,
    needs="*.eval or *.json logs",
    takes=frozenset(("--metric",)),
)
