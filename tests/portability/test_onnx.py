"""ONNX: narrow numbers keep their bits, entries lead to classes, and every runtime is asked the same."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.portability.registry import PROVIDERS, TARGETS
from isoflop.portability.worker.interface import Absent
from isoflop.portability.worker.iree.compiler import Backend, _summary
from isoflop.portability.worker.onnx.narrow import from_bytes, pack, raw, unpack
from isoflop.portability.worker.onnx.runtime import _elsewhere
from isoflop.portability.worker.onnx.values import describe, elements, leaves

SOURCE = Path(__file__).resolve().parents[2] / "src"
MINE = ("onnx", "mlx", "tinygrad")


@settings(max_examples=40)
@given(st.sampled_from([2, 4]), st.lists(st.integers(0, 255), max_size=20))
def test_packed_numbers_come_back_with_nothing_but_padding_after_them(bits: int, numbers: list[int]) -> None:
    small = np.array(numbers, dtype=np.uint8) & ((1 << bits) - 1)
    back = unpack(pack(small, bits), bits)
    np.testing.assert_array_equal(back[: small.size], small)
    assert back.size - small.size < 8 // bits
    assert not back[small.size :].any()


@given(st.integers(0, 2), st.integers(1, 3))
def test_raw_bits_keep_the_shape_of_an_array(rows: int, columns: int) -> None:
    array = np.arange(rows * columns, dtype=np.float16).reshape(rows, columns)
    bits = raw(array)
    assert bits.shape == array.shape
    np.testing.assert_array_equal(from_bytes(bits.tobytes(), np.float16, array.shape), array)


def test_raw_bits_of_a_number_without_a_dimension_have_none() -> None:
    assert raw(np.array(1.5, dtype=np.float16)).shape == ()


def test_leaves_are_flat_and_an_empty_optional_is_one_of_them() -> None:
    found = leaves([np.zeros((2, 3), np.float32), [np.array(["a", "b"], dtype=object)], None])
    assert [(leaf.dtype, leaf.shape) for leaf in found] == [
        ("float32", (2, 3)),
        ("string", (2,)),
        ("none", ()),
    ]


def test_float64_is_not_taken_for_a_narrow_float() -> None:
    value = np.array([1.0 + 2.0**-40])
    (leaf,) = leaves(value)
    assert leaf.array is not None
    assert leaf.array.dtype == np.float64
    assert leaf.array[0] == value[0]


def test_what_is_described_is_json_and_counted_in_full() -> None:
    values = [np.zeros((2, 3)), [np.ones(4)], None]
    assert json.loads(json.dumps(describe(values))) == [["float64", [2, 3]], [["float64", [4]]], None]
    assert elements(values) == 10


@pytest.mark.parametrize("framework", MINE)
def test_every_entry_leads_to_something_that_can_be_called(framework: str) -> None:
    homes = [entry.home for entry in TARGETS.values() if entry.framework == framework]
    homes += [entry.home for entry in PROVIDERS.values() if entry.framework == framework]
    assert homes
    for home in homes:
        module, _, name = home.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("framework", MINE)
def test_a_target_bears_the_id_of_its_entry_and_says_why_it_is_absent(framework: str) -> None:
    for entry in TARGETS.values():
        if entry.framework == framework:
            module, _, name = entry.home.partition(":")
            target = getattr(importlib.import_module(module), name)()
            target = target() if isinstance(target, type) else target
            assert (target.id, target.level) == (entry.id, entry.level)
            found = target.detect()
            if isinstance(found, Absent):
                assert found.reason


@pytest.mark.slow
@pytest.mark.ci
def test_importing_the_tables_and_modules_loads_no_framework() -> None:
    code = (
        "import sys, importlib\n"
        "from isoflop.portability.registry import TARGETS, PROVIDERS\n"
        "for entry in (*TARGETS.values(), *PROVIDERS.values()):\n"
        f"    if entry.framework in {MINE!r}: importlib.import_module(entry.home.partition(':')[0])\n"
        "heavy = ('onnx', 'onnxruntime', 'openvino', 'mlx', 'tinygrad', 'iree', 'jax')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


class _Node:
    def __init__(self, op_type: str) -> None:
        self.op_type = op_type


class _Part:
    def __init__(self, ep_name: str, operators: list[str]) -> None:
        self.ep_name = ep_name
        self._nodes = [_Node(name) for name in operators]

    def get_nodes(self) -> list[_Node]:
        return self._nodes


class _Session:
    """The answer of ONNX Runtime 1.32 for a session whose second provider took two kinds of nodes."""

    def get_provider_graph_assignment_info(self) -> list[_Part]:
        return [
            _Part("CUDAExecutionProvider", ["MatMul"]),
            _Part("CPUExecutionProvider", ["Unique", "Shape", "Unique"]),
        ]


def test_operators_that_another_provider_took_are_named_once_each() -> None:
    assert _elsewhere(_Session(), "CUDAExecutionProvider") == ("Unique", "Shape")
    assert _elsewhere(_Session(), "CPUExecutionProvider") == ("MatMul",)


def test_an_architecture_in_brackets_replaces_the_default_one() -> None:
    assert Backend("cuda").flags == ("--iree-hal-target-backends=cuda", "--iree-cuda-target=sm_80")
    assert Backend("cuda", "sm_90").flags[1] == "--iree-cuda-target=sm_90"
    assert Backend("vmvx").flags == ("--iree-hal-target-backends=vmvx",)


def test_a_compiler_that_says_nothing_is_quoted_as_saying_nothing() -> None:
    assert "without a word" in _summary([])


SMOKE = """
import json, sys, warnings
warnings.simplefilter("ignore")
from importlib import import_module
from isoflop.portability.model import Timing
from isoflop.portability.registry import PROVIDERS, TARGETS
from isoflop.portability.task import Task
from isoflop.portability.worker.measure.execute import execute

def load(home):
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)()

target, provider, names = sys.argv[1], sys.argv[2], set(sys.argv[3].split(","))
entry = TARGETS[target]
mine, base, maker = load(entry.home), load(TARGETS[entry.reference].home), load(PROVIDERS[provider].home)
rows = {}
for item in maker.items(dtypes=(), sizes=("tiny", "small"), samples=1):
    short = item.function.rpartition(".")[2]
    if short in names and short not in rows:
        task = Task(item=item, target=target, reference=entry.reference, timing=Timing.none())
        rows[short] = execute(task, provider=maker, target=mine, reference=base)
print(json.dumps({name: [row["status"], row.get("evidence_level")] for name, row in rows.items()}))
"""
ONNX_OPERATORS = "Abs,Add,Softmax,MatMul,Conv,Gemm,Relu,Concat,Transpose,LayerNormalization"


def _smoke(frameworks: Path, target: str, provider: str, names: str) -> dict[str, list[str]]:
    run = subprocess.run(
        [str(frameworks), "-c", SMOKE, target, provider, names],
        env={"PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, list[str]] = json.loads(run.stdout.splitlines()[-1])
    assert set(found) == set(names.split(","))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("target", ["reference", "ort-cpu", "openvino-cpu", "tinygrad-cpu"])
def test_common_operators_run_and_agree_on_every_runtime_of_the_cpu(frameworks: Path, target: str) -> None:
    found = _smoke(frameworks, f"onnx:{target}", "onnx_node", ONNX_OPERATORS)
    assert set(map(tuple, found.values())) == {("ok", "agreed")}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["llvm-cpu", "vmvx", "vulkan-spirv", "cuda", "rocm", "metal-spirv"])
def test_common_operators_compile_for_hardware_that_is_not_here(frameworks: Path, backend: str) -> None:
    found = _smoke(frameworks, f"onnx:iree-{backend}", "onnx_node", "Abs,Add,Softmax,MatMul")
    assert set(map(tuple, found.values())) == {("ok", "compiled")}


@pytest.mark.slow
def test_jax_functions_compile_for_a_gpu_that_is_not_here(frameworks: Path) -> None:
    found = _smoke(frameworks, "jax:iree-cuda", "jax_recipes", "sin,matmul,sort")
    assert set(map(tuple, found.values())) == {("ok", "compiled")}


@pytest.mark.slow
def test_mlx_and_tinygrad_run_and_agree_with_float64(frameworks: Path) -> None:
    names = "exp,sqrt,matmul,sum"
    for target, provider in (("mlx:cpu", "mlx_recipes"), ("tinygrad:cpu", "tinygrad_recipes")):
        found = _smoke(frameworks, target, provider, names)
        assert set(map(tuple, found.values())) == {("ok", "agreed")}
