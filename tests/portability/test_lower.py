"""Targets that are lowered only: the section, its picture, and JAX's own rules."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from isoflop.portability.chapter.lower import lower_rows, lower_section
from isoflop.portability.figures.lower import WORDS, lower_data
from isoflop.portability.runs import Run
from isoflop.portability.shares import Shares, shares
from isoflop.portability.simulate import PlantedRun, run_of
from isoflop.present.chapter import Chapter

CALL = "cusolver_getrf"


@cache
def run() -> Run:
    """Return a run in which half of the functions of one of two platforms have no rule."""
    rng = np.random.default_rng(5)
    made = {"functions": 20, "level": "lowered", "protocol": "none", "processes": 1}
    all_pass, _ = PlantedRun(**made, target="made:lower-cpu").draw(rng)  # type: ignore[arg-type]
    some_fail, _ = PlantedRun(**made, target="made:lower-tpu", complete=0.5).draw(rng)  # type: ignore[arg-type]
    rows = all_pass.frame().to_dicts() + some_fail.frame().to_dicts()
    for row in rows:
        row["custom_calls"] = CALL if row["target"] == "made:lower-cpu" else None
    return run_of(rows)


@cache
def found() -> Shares:
    """Return its shares."""
    return shares(run())


def test_each_platform_has_a_row_that_agrees_with_its_share() -> None:
    rows = {row["target"]: row for row in lower_rows(found(), run())}
    assert rows["made:lower-cpu"]["without"] == 0
    failing = rows["made:lower-tpu"]["without"]
    lost = {
        one.function for one in found().outcomes if one.target == "made:lower-tpu" and one.fails("strict")
    }
    assert 0 < failing == len(lost) < 20
    assert rows["made:lower-cpu"]["calling"] == 20
    assert rows["made:lower-cpu"]["libraries"] == f"{CALL} (20)"
    assert rows["made:lower-tpu"]["calling"] == 0


def test_the_matrix_holds_every_platform_of_each_function_that_fails_somewhere() -> None:
    frame = lower_data(found(), run())
    assert frame.group_by("function").len()["len"].unique().to_list() == [2]
    assert set(frame["outcome"]) == {"no rule", "has rules, calls a library"}
    assert set(frame["outcome"]) <= set(WORDS)


def test_the_section_says_what_lowering_does_not_say() -> None:
    section = lower_section(found(), run())
    assert section is not None
    text = " ".join(section.prose)
    assert "Nothing was run" in text
    assert "upper bound" in text
    chapter = Chapter(instrument="portability", question="?", answer="!", findings=(), sections=(section,))
    specification = chapter.figures[0].chart().to_dict()
    assert specification["height"] == 16 * lower_data(found(), run())["function"].n_unique()


def test_a_run_without_such_targets_has_no_section() -> None:
    ran, _ = PlantedRun(functions=5, processes=1).draw(np.random.default_rng(1))
    assert lower_section(shares(ran), ran) is None


LOWER = """
import json
from isoflop.portability.worker.jax import lower
from isoflop.portability.worker.jax.harness import harnesses
provider = harnesses()
items = list(provider.items(dtypes=(), sizes=(), samples=1))
out = {"groups": len({item.variant.split("_shape")[0] for item in items}), "items": len(items)}
def lowers(item, target):
    try:
        return target.prepare(provider.make(item, 0), "strict").artefact()
    except NotImplementedError as error:
        return str(error)
platforms = (lower.cpu, lower.cuda, lower.tpu, lower.rocm)
for name in ("eig", "lu"):
    item = [one for one in items if one.function == "jax.lax.linalg." + name][-1]
    made = {home.__name__: lowers(item, home()) for home in platforms}
    out[name] = {key: one if isinstance(one, str) else list(one.custom_calls) for key, one in made.items()}
print(json.dumps(out))
"""


@pytest.mark.slow
def test_eig_has_no_rule_on_a_tpu_and_every_platform_has_its_own_library(frameworks: Path) -> None:
    done = subprocess.run([frameworks, "-c", LOWER], capture_output=True, text=True, check=True, env=_env())
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["items"] >= 132
    assert "not found for platform tpu" in said["eig"]["tpu"]
    assert all(isinstance(said["eig"][platform], list) for platform in ("cpu", "cuda"))
    libraries = {tuple(calls) for calls in said["lu"].values()}
    assert len(libraries) >= 3


def _env() -> dict[str, str]:
    import os

    import isoflop

    home = str(Path(isoflop.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": home, "OMP_NUM_THREADS": "1", "JAX_PLATFORMS": "cpu"}
