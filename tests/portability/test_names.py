"""Canonical names, families and what functions give, against facts that anyone can look up."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.portability.names import (
    FRAMEWORKS,
    array_of,
    canonical,
    family,
    gives,
    implied,
    is_host_only,
    names,
)

EVERY = sorted({name for framework in FRAMEWORKS for name in names(framework).gives})  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("torch.relu", "torch.nn.functional.relu"),
        ("torch.relu", "torch.Tensor.relu_"),
        ("torch.Tensor.multiply", "torch.mul"),
        ("torch.special.expit", "torch.sigmoid"),
        ("torch.concat", "torch.cat"),
        ("jax.numpy.sum", "jax.Array.sum"),
        ("jax.numpy.divide", "jax.numpy.true_divide"),
        ("tensorflow.math.add", "tensorflow.add"),
        ("tensorflow.compat.v2.add", "tensorflow.add"),
        ("tensorflow.keras.layers.Dense", "keras.layers.Dense"),
    ],
)
def test_names_of_one_kernel_share_a_family(one: str, other: str) -> None:
    assert family(one) == family(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("torch.Tensor.unfold", "torch.nn.functional.unfold"),
        ("torch.add", "jax.numpy.add"),
        ("torch.linalg.norm", "torch.norm"),
        ("torch.nn.ReLU", "torch.relu"),
        ("torch.fft.fft", "torch.fft.ifft"),
        ("torch.optim.Adam", "torch.optim.SGD"),
    ],
)
def test_names_of_different_kernels_do_not(one: str, other: str) -> None:
    assert family(one) != family(other)


@pytest.mark.parametrize(
    ("layer", "function"),
    [
        ("torch.nn.Conv2d", "torch.nn.functional.conv2d"),
        ("torch.nn.LeakyReLU", "torch.nn.functional.leaky_relu"),
        ("torch.nn.BatchNorm3d", "torch.nn.functional.batch_norm"),
        ("torch.nn.BCEWithLogitsLoss", "torch.nn.functional.binary_cross_entropy_with_logits"),
        ("torch.nn.MSELoss", "torch.nn.functional.mse_loss"),
        ("tensorflow.raw_ops.Relu", "tensorflow.nn.relu"),
    ],
)
def test_a_layer_is_implied_by_its_function(layer: str, function: str) -> None:
    assert family(function) in implied(layer)


@given(name=st.sampled_from(EVERY))
@settings(max_examples=100, deadline=None)
def test_a_canonical_name_is_its_own(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name)
    assert family(canonical(name)) == family(name)


def test_lists_hold_what_is_public_and_say_what_it_gives() -> None:
    assert gives("torch.nn.Linear") == "layer"
    assert gives("torch.topk") == "arrays"
    assert gives("torch.Tensor.item") == "other"
    assert gives("torch.float32") == "value"
    assert gives("torch.no_such_thing") == ""
    assert array_of("jax.numpy.sin") == "jax.Array"
    assert names("no_framework") is None
    assert {len(names(framework).gives) > 400 for framework in FRAMEWORKS} == {True}  # type: ignore[union-attr]


def test_what_builds_holds_and_asks_computes_nothing_on_a_device() -> None:
    for name in ("torch.nn.Sequential", "torch.optim.Adam.zero_grad", "jax.tree.map", "torch.Tensor.size"):
        assert is_host_only(name), name
    for name in (
        "torch.nn.Linear",
        "torch.optim.Adam.step",
        "torch.rand",
        "jax.numpy.sum",
        "keras.Model.fit",
    ):
        assert not is_host_only(name), name


def test_a_star_import_binds_the_names_of_the_module_alone() -> None:
    listed = names("torch")
    assert listed is not None
    star = listed.star("torch.nn.functional")
    assert "relu" in star
    assert "Conv2d" not in star
    assert not any("." in name for name in star)


@pytest.mark.slow
@pytest.mark.public_data
def test_most_names_of_the_published_enumeration_are_known(public_data: Path) -> None:
    last = {f: {name.rpartition(".")[2] for name in names(f).gives} for f in ("torch", "jax")}  # type: ignore[union-attr]
    with (public_data / "portability" / "function_names.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["framework"] in last]
    known = [row for row in rows if row["name"].rpartition(".")[2] in last[row["framework"]]]
    assert len(known) / len(rows) > 0.5


@pytest.mark.slow
def test_the_lists_are_those_of_the_installed_frameworks(frameworks: Path) -> None:
    checked = [n for n in EVERY if n.startswith(("torch.nn.functional.", "jax.numpy."))]
    code = (
        "import json, sys, functools, torch, jax, jax.numpy\n"
        "ask = json.load(sys.stdin)\n"
        "def there(name):\n"
        "    root, *rest = name.split('.')\n"
        "    try:\n"
        "        functools.reduce(getattr, rest, {'torch': torch, 'jax': jax}[root])\n"
        "    except AttributeError:\n"
        "        return False\n"
        "    return True\n"
        "print(json.dumps([n for n in ask if not there(n)]))\n"
    )
    done = subprocess.run(
        [str(frameworks), "-c", code], input=json.dumps(checked), capture_output=True, text=True, check=True
    )
    missing = json.loads(done.stdout)
    assert len(missing) < 0.05 * len(checked), missing[:10]
