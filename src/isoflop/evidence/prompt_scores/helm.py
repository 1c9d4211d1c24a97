"""Runs of HELM: a folder with ``per_instance_stats.json``, ``scenario_state.json`` and ``run_spec.json``.

Statistics are read item by item, for their files may hold several gigabytes. Kept are unperturbed instances
of the test split; several train trials of one instance are averaged into ``n_samples``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from isoflop.errors import EvidenceError
from isoflop.evidence.prompt_scores.files import read_json
from isoflop.evidence.prompt_scores.interface import Asked, Found, ScoreImporter, Tally, one_of, tallied
from isoflop.evidence.prompt_scores.json_stream import array_items
from isoflop.evidence.prompt_scores.rows import averaged, frame_of, number, texts_of

STATS, STATE, SPEC = "per_instance_stats.json", "scenario_state.json", "run_spec.json"
_KNOWN = (
    "exact_match",
    "quasi_exact_match",
    "prefix_exact_match",
    "quasi_prefix_exact_match",
    "f1_score",
    "rouge_l",
    "bleu_4",
    "math_equiv",
    "math_equiv_chain_of_thought",
    "exact_match_indicator",
    "pass",
    "test_avg",
)
"""Metrics offered in messages; any name in the file can be asked for."""


USAGE = {
    "num_prompt_tokens": "tokens_in",
    "num_completion_tokens": "tokens_out",
    "inference_runtime": "latency_s",
}
_OF_THE_RUN = ("model", "model_deployment", "data_augmentation", "stop", "num_outputs", "groups")
"""Arguments of a run that say nothing of its instances, and may differ between models."""


def _recognises(path: Path) -> bool:
    return bool(_runs(path))


def _runs(path: Path) -> list[Path]:
    if path.is_file():
        return [path.parent] if path.name == STATS else []
    return sorted(file.parent for file in path.rglob(STATS))


def _read(paths: Sequence[Path], asked: Asked) -> Found:
    runs = [run for path in paths for run in _runs(path)]
    if not runs:
        raise EvidenceError(
            f"load: {paths[0]} holds no {STATS}, which a run of HELM has. Name the run's folder."
        )
    perturbed = Tally(rule="the instance is unperturbed")
    elsewhere = Tally(rule="the metric is given on the test split")
    trials: dict[tuple[str, str, str], list[dict[str, float | None]]] = {}
    texts: dict[tuple[str, str], dict[str, Any]] = {}
    read = 0
    known: dict[tuple[str, str], Path] = {}
    for run in runs:
        dataset, model = _named(run)
        if known.setdefault((dataset, model), run) != run:
            raise EvidenceError(
                f"load: {known[dataset, model].name} and {run.name} are both {model} on {dataset}, needs one "
                "run of each. Take one of the folders away."
            )
        inputs = _inputs(run)
        for item in array_items(run / STATS):
            read += 1
            identity, stats = _item(item, run)
            where = f"{run.name}, instance {identity}"
            if item.get("perturbation"):
                perturbed.drop(where)
                continue
            score = _score(stats, asked.metric, run)
            if score is None:
                elsewhere.drop(where)
                continue
            instance = f"{dataset}/{identity}"
            trials.setdefault((dataset, instance, model), []).append({"score": score, **_usage(stats)})
            if identity in inputs:
                texts.setdefault((dataset, instance), {"prompt": inputs[identity]})
    if not trials:
        one_of(asked.metric, _test_metrics(runs[0]), "metric", "--metric", runs[0].name)
    rows: list[dict[str, Any]] = [
        {
            "dataset": dataset,
            "instance_id": instance,
            "model": model,
            "metric": asked.metric,
            **averaged(found),
        }
        for (dataset, instance, model), found in trials.items()
    ]
    source = asked.source or "helm"
    steps = tallied(perturbed, elsewhere, kept=sum(map(len, trials.values())))
    return Found(
        scores=frame_of(rows, source, runs[0].name, steps),
        prompts=texts_of(texts, source),
        rows_read=read,
        prompts_read=len(texts),
        steps=steps,
        choice=f"metric {asked.metric}",
    )


def _item(item: Any, run: Path) -> tuple[str, Sequence[Mapping[str, Any]]]:
    if not isinstance(item, dict) or "instance_id" not in item or not isinstance(item.get("stats"), list):
        raise EvidenceError(
            f"load: {STATS} of {run.name} holds an item without instance_id and stats, which HELM writes. "
            "Is it another tool's file?"
        )
    return str(item["instance_id"]), item["stats"]


def _score(stats: Sequence[Mapping[str, Any]], metric: str | None, run: Path) -> float | None:
    """Return the mean of the metric over the test split, or None where it is not given there."""
    if metric is None:
        present = [name for name in dict.fromkeys(map(_name, stats)) if name]
        offered = [name for name in present if name in _KNOWN] or present
        raise EvidenceError(
            f"load: {run.name} has {len(present)} metrics ({', '.join(offered[:8])} …), needs one. Name it: "
            f"--metric {offered[0] if offered else 'NAME'}"
        )
    return next((_mean(stat) for stat in stats if _name(stat) == metric and _plain(stat)), None)


def _plain(stat: Mapping[str, Any]) -> bool:
    """Say whether a statistic is of the test split as a whole, unperturbed."""
    about = stat["name"]
    return about.get("split") == "test" and not about.get("perturbation") and not about.get("sub_split")


def _mean(stat: Mapping[str, Any]) -> float | None:
    mean, total, count = (number(stat.get(name)) for name in ("mean", "sum", "count"))
    return mean if mean is not None else total / count if total is not None and count else None


def _usage(stats: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """Return tokens and time of the call, where HELM recorded them."""
    found = {_name(stat): _mean(stat) for stat in stats if _name(stat) in USAGE}
    return {ours: found.get(theirs) for theirs, ours in USAGE.items()}


def _name(stat: Mapping[str, Any]) -> str:
    about = stat.get("name")
    return str(about.get("name", "")) if isinstance(about, dict) else ""


def _test_metrics(run: Path) -> list[str]:
    """Return the metrics of the first instance of a run."""
    first = next(iter(array_items(run / STATS)), None)
    return list(dict.fromkeys(map(_name, first["stats"]))) if isinstance(first, dict) else []


def _named(run: Path) -> tuple[str, str]:
    """Return dataset and model of a run: the spec's name without its model, and the adapter's model."""
    path = run / SPEC
    if not path.is_file():
        raise EvidenceError(f"load: {run} has no {SPEC}, which names the model. Copy it beside {STATS}.")
    spec = read_json(path)
    adapter = spec.get("adapter_spec") if isinstance(spec, dict) else None
    model = adapter.get("model") if isinstance(adapter, dict) else None
    if not isinstance(model, str):
        raise EvidenceError(f"load: {SPEC} of {run.name} names no adapter_spec.model. Is it HELM's file?")
    scenario, _, arguments = str(spec.get("name", run.name)).partition(":")
    kept = [part for part in arguments.split(",") if part and part.partition("=")[0] not in _OF_THE_RUN]
    return ":".join([scenario, ",".join(kept)]) if kept else scenario, model


def _inputs(run: Path) -> dict[str, str]:
    """Return the unperturbed input text of each instance."""
    path = run / STATE
    if not path.is_file():
        raise EvidenceError(f"load: {run} has no {STATE}, which holds the prompts. Copy it beside {STATS}.")
    found: dict[str, str] = {}
    for state in array_items(path, "request_states"):
        instance = state.get("instance") if isinstance(state, dict) else None
        if not isinstance(instance, dict) or instance.get("perturbation"):
            continue
        given = instance.get("input")
        text = given.get("text") if isinstance(given, dict) else given
        if isinstance(text, str):
            found.setdefault(str(instance.get("id")), text)
    return found


HELM = ScoreImporter(
    name="helm",
    doc="Run folders of HELM; the metric must be named.",
    recognises=_recognises,
    read=_read,
    needs=f"{STATS}, {STATE} and {SPEC}",
    takes=frozenset(("--metric",)),
)
