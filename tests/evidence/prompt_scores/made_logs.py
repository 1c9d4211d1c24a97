"""Small files in the layouts that evaluation tools write, made for the tests."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import polars as pl

DATE = "2026-03-01T10-20-30.123456"


def written(path: Path, content: Any) -> Path:
    """Write JSON, JSON lines, or text, making folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif path.name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in content), encoding="utf-8")
    else:
        path.write_text(json.dumps(content), encoding="utf-8")
    return path


def lm_eval_sample(at: int, score: float, *, filter: str = "strict-match", **other: Any) -> dict[str, Any]:
    return {
        "doc_id": at,
        "doc": {"question": f"What is {at} + 1?"},
        "target": str(at + 1),
        "arguments": {
            "gen_args_0": {"arg_0": f"Question: what is {at} + 1?\nAnswer:", "arg_1": {"until": ["\n"]}}
        },
        "resps": [[f" {at + 1}"]],
        "filtered_resps": [str(at + 1)],
        "filter": filter,
        "metrics": ["exact_match"],
        "exact_match": score,
        "doc_hash": f"d{at}",
        "prompt_hash": f"p{at}",
        "target_hash": f"t{at}",
    } | other


def lm_eval_folder(root: Path) -> Path:
    """Two models on two tasks; each document under two filters."""
    for model, folder, shift in (("org/alpha", "org__alpha", 0), ("org/beta", "org__beta", 1)):
        written(root / folder / f"results_{DATE}.json", {"results": {}, "model_name": model, "config": {}})
        for task in ("sums", "more_sums"):
            rows = [
                lm_eval_sample(at, float((at + shift + lenient) % 2), filter=name)
                for at in range(4)
                for lenient, name in enumerate(("strict-match", "flexible-extract"))
            ]
            written(root / folder / f"samples_{task}_{DATE}.jsonl", rows)
    return root


def inspect_log(model: str, task: str = "capitals", *, right: int = 2) -> dict[str, Any]:
    """Three samples of two epochs, one more with an error, one declared invalid, one without a value."""

    def sample(at: int, epoch: int, value: Any, **other: Any) -> dict[str, Any]:
        text = f"Capital of country {at}?"
        return {
            "id": at,
            "epoch": epoch,
            "input": text if at % 2 else [{"role": "user", "content": [{"type": "text", "text": text}]}],
            "target": "X",
            "scores": {"match": {"value": value, "answer": "X"}},
            "model_usage": {
                model: {"input_tokens": 10 + at, "output_tokens": 4, "total_tokens": 14 + at},
                "grader/one": {"input_tokens": 900, "output_tokens": 90, "total_tokens": 990},
            },
            "total_time": 1.5,
        } | other

    letters = ["C" if at < right else "I" for at in range(3)]
    samples = [sample(at, epoch, letters[at] if epoch == 1 else "P") for at in range(3) for epoch in (1, 2)]
    samples += [
        sample(3, 1, "C", error={"message": "timeout"}),
        sample(4, 1, "C", invalidation={"author": "a", "reason": "wrong target"}),
        sample(5, 1, None),
    ]
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": task, "model": model, "created": "2026-03-01T10:00:00+00:00"},
        "samples": samples,
    }


def inspect_archive(path: Path, log: dict[str, Any], *, zstandard: bool = False) -> Path:
    """Write a log as Inspect's archive: header, and one member a sample and epoch."""
    header = {key: value for key, value in log.items() if key != "samples"}
    files = {"_journal/start.json": {"version": 2, "eval": log["eval"]}, "header.json": header}
    for sample in log["samples"]:
        files[f"samples/{sample['id']}_epoch_{sample['epoch']}.json"] = sample
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if zstandard else zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(content))
    return _packed(path) if zstandard else path


def _packed(path: Path) -> Path:
    """Rewrite a stored archive with members compressed by Zstandard, which zipfile cannot write."""
    import struct

    import zstandard

    body, directory = b"", b""
    with zipfile.ZipFile(path) as archive:
        contents = [(info.filename.encode(), archive.read(info)) for info in archive.infolist()]
    for name, data in contents:
        packed = zstandard.ZstdCompressor(write_content_size=False).compress(data)
        head = struct.pack(
            "<5H3L2H", 63, 0, 93, 0, 33, zlib.crc32(data), len(packed), len(data), len(name), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 63) + head
        directory += struct.pack("<3H2L", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + head + name + packed
    end = struct.pack("<4H2LH", 0, 0, len(contents), len(contents), len(directory), len(body), 0)
    path.write_bytes(body + directory + b"PK\x05\x06" + end)
    return path


def helm_run(root: Path, model: str, scenario: str = "mmlu:subject=anatomy", *, right: int = 2) -> Path:
    """Four instances, one of them also perturbed, one of the validation split, two train trials."""

    def stat(name: str, mean: float, split: str = "test") -> dict[str, Any]:
        about = {"name": name, "split": split}
        return {
            "name": about,
            "count": 1,
            "sum": mean,
            "sum_squared": mean,
            "min": mean,
            "max": mean,
            "mean": mean,
        }

    def item(at: int, trial: int, **other: Any) -> dict[str, Any]:
        split = "valid" if at == 3 else "test"
        value = float(at < right) if trial == 0 else 1.0
        stats = [
            stat("num_references", 4, split),
            stat("num_prompt_tokens", 20.0 + at, split),
            stat("exact_match", value, split),
        ]
        return {"instance_id": f"id{at}", "train_trial_index": trial, "stats": stats} | other

    run = root / f"{scenario},model={model.replace('/', '_')}"
    items = [item(at, trial) for at in range(4) for trial in (0, 1)]
    items.append(item(0, 0, perturbation={"name": "typos", "robustness": True}))
    written(run / "per_instance_stats.json", items)
    adapter = {"method": "multiple_choice_joint", "model": model}
    written(run / "run_spec.json", {"name": run.name, "adapter_spec": adapter})
    states = [
        {"instance": {"input": {"text": f"Which bone is number {at}?"}, "id": f"id{at}", "split": "test"}}
        for at in range(4)
    ]
    written(run / "scenario_state.json", {"adapter_spec": adapter, "request_states": states})
    return run


def routerbench() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "sample_id": ["gsm.0", "gsm.1", "arc.0"],
            "prompt": ["['System words', 'What is 1 + 1?']", "What is 2 + 2?", "[not a list"],
            "eval_name": ["grade-school-math", "grade-school-math", "arc-challenge"],
            "large": [1.0, 0.5, 1.0],
            "small": [0.0, None, 1.0],
            "large|model_response": ["2", "4", "A"],
            "small|model_response": ["3", "", "A"],
            "large|total_cost": [0.01, 0.02, 0.01],
            "small|total_cost": [0.001, None, 0.001],
            "oracle_model_to_route_to": ["large", "large", "small"],
        }
    )


def embedllm() -> pl.DataFrame:
    rows = [
        {
            "prompt_id": prompt,
            "model_id": model,
            "category_id": prompt % 2,
            "label": (prompt + model) % 2,
            "prompt": f"Which area number {prompt}?",
            "model_name": f"model-{model}",
            "category": ("ethics", "law")[prompt % 2],
        }
        for prompt in range(4)
        for model in range(3)
    ]
    return pl.DataFrame(rows)


def llmrouter() -> list[dict[str, Any]]:
    return [
        {"question": f"Q: puzzle {at}?", "scores": {"a": float(at % 2), "b": 1.0, "c": 0.25}, "cluster_id": 0}
        for at in range(4)
    ]


def plain(prompts: int = 4, models: int = 2, datasets: int = 2) -> pl.DataFrame:
    """Return a long table with prompts inside."""
    rows = [
        {
            "dataset": f"d{d}",
            "instance_id": f"d{d}/{at}",
            "model": f"m{m}",
            "score": float((at + m) % 2),
            "prompt": f"Prompt {at} of {d}",
        }
        for d in range(datasets)
        for at in range(prompts)
        for m in range(models)
    ]
    return pl.DataFrame(rows)
