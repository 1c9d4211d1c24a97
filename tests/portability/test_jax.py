"""JAX: harnesses and targets, through an interpreter that has it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import isoflop

EVERY = """
import json, sys
from isoflop.portability.model import Timing
from isoflop.portability.registry import PROVIDERS, TARGETS
from isoflop.portability.task import Task
from isoflop.portability.worker.measure.execute import execute
from importlib import import_module
def load(home):
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)()
asked = json.loads(sys.argv[1])
rows = []
for provider_name, functions in asked["functions"].items():
    provider = load(PROVIDERS[provider_name].home)
    items = {}
    for item in provider.items(dtypes=tuple(asked["dtypes"]), sizes=(), samples=1):
        items.setdefault(item.function, item)
    for target_name in asked["targets"]:
        entry = TARGETS[target_name]
        target, reference = load(entry.home), load(TARGETS[entry.reference].home)
        for function in functions:
            one = {"item": items[function], "target": entry.id, "reference": entry.reference}
            task = Task(**one, timing=Timing.none())
            row = execute(task, provider=provider, target=target, reference=reference)
            rows.append({**row, "function": function, "target": entry.id, "expected_id": task.item.sample_id})
absent = {name: getattr(load(TARGETS[name].home).detect(), "reason", None) for name in asked["detect"]}
print(json.dumps({"rows": rows, "absent": absent}))
"""
"""Runs some functions of some providers on some targets in one process and prints their rows."""


def ran(python: Path, **asked: Any) -> dict[str, Any]:
    """Return what the child printed."""
    home = str(Path(isoflop.__file__).parents[1])
    env = {**os.environ, "PYTHONPATH": home, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
    asked = {"dtypes": [], "detect": [], **asked}
    done = subprocess.run(
        [python, "-c", EVERY, json.dumps(asked)], capture_output=True, text=True, check=True, env=env
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_harnesses_and_recipes_agree_between_eager_and_jit(frameworks: Path) -> None:
    found = ran(
        frameworks,
        functions={
            "jax_harness": ["jax.lax.sin", "jax.lax.linalg.svd", "jax.lax.linalg.eig", "jax.random.uniform"],
            "jax_recipes": ["jax.numpy.linalg.qr", "jax.nn.softmax", "jax.numpy.matmul", "jax.random.normal"],
        },
        targets=["jax:eager", "jax:jit"],
        detect=["jax:gpu", "jax:tpu", "jax:jit"],
    )
    assert [
        (row["function"], row["target"], row["status"]) for row in found["rows"] if row["status"] != "ok"
    ] == []
    assert all(row["sample_id"] == row["expected_id"] for row in found["rows"])
    softmax = [row for row in found["rows"] if row["function"] == "jax.nn.softmax"]
    assert {row["gradient"] for row in softmax} == {"agree"}
    assert {row["err_rel"] > 0 for row in softmax} == {True}
    assert found["absent"]["jax:jit"] is None
    assert "no GPU device" in found["absent"]["jax:gpu"]


@pytest.mark.slow
def test_wide_items_are_wide_though_the_flag_is_off_otherwise(frameworks: Path) -> None:
    found = ran(
        frameworks,
        functions={"jax_recipes": ["jax.numpy.sin", "jax.numpy.linspace"]},
        targets=["jax:eager", "jax:jit"],
        dtypes=["float64"],
    )
    assert {row["status"] for row in found["rows"]} == {"ok"}
    # Were they computed in float32, the error against float64 would be about 1e-8.
    assert max(row["err_rel"] for row in found["rows"]) < 1e-14


@pytest.mark.slow
def test_a_function_whose_shape_depends_on_values_is_no_failure_of_a_lowering(frameworks: Path) -> None:
    found = ran(frameworks, functions={"jax_recipes": ["jax.numpy.nonzero"]}, targets=["jax:lower-cuda"])
    assert [(row["status"], row["reason"]) for row in found["rows"]] == [("skipped", "data_dependent")]
