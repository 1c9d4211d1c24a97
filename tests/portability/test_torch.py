"""PyTorch's tables and targets: what can be told without it, and what it does where it is."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.portability.model import SIZES
from isoflop.portability.registry import PROVIDERS, TARGETS
from isoflop.portability.worker.interface import Absent, Present
from isoflop.portability.worker.recipes.book import read
from isoflop.portability.worker.torch import devices, recipes
from isoflop.portability.worker.torch.compiled import compiler, slug
from isoflop.portability.worker.torch.kinds import FACTORS, RANDOM, UNDEFINED, kind_of
from isoflop.portability.worker.torch.opinfo import spread
from isoflop.portability.worker.torch.values import rung

MINE = [entry for entry in TARGETS.values() if entry.framework == "torch"]
HAS_TORCH = importlib.util.find_spec("torch") is not None
ACCELERATORS = ("cuda", "rocm", "mps", "xpu", "npu", "xla")


def _made(home: str) -> Any:
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)()


@pytest.mark.skipif(HAS_TORCH, reason="torch is installed here")
@pytest.mark.parametrize("entry", MINE, ids=lambda entry: entry.id)
def test_without_torch_every_target_says_what_is_missing(entry: Any) -> None:
    target = _made(entry.home)
    found = target.detect()
    assert isinstance(found, Absent)
    assert "not installed" in found.reason
    assert (target.id, target.level) == (entry.id, entry.level)


@pytest.mark.slow
@pytest.mark.ci
def test_tables_are_read_without_loading_torch() -> None:
    code = (
        "import sys, importlib;"
        "from isoflop.portability.registry import TARGETS, PROVIDERS;"
        "entries = [*TARGETS.values(), *PROVIDERS.values()];"
        "homes = {e.home.split(':')[0] for e in entries if e.framework == 'torch'};"
        "[importlib.import_module(home) for home in homes];"
        "sys.exit(any(m.split('.')[0] in ('torch', 'scipy', 'polars') for m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == 0


def test_one_reference_and_six_targets_that_need_no_accelerator() -> None:
    assert {entry.reference for entry in MINE} == {"torch:eager"}
    plain = {entry.id.removeprefix("torch:") for entry in MINE} - set(ACCELERATORS)
    assert plain == {"eager", "meta", "aot_eager", "inductor", "onnxruntime", "openvino"}


def test_only_the_operation_table_is_in_the_catalogue_unasked() -> None:
    mine = {name: entry.default for name, entry in PROVIDERS.items() if entry.framework == "torch"}
    assert {name for name, default in mine.items() if default and not name.endswith("trace")} == {"opinfo"}
    assert {"modules", "optimisers", "torch_recipes"} <= set(mine)


def test_a_name_has_one_kind() -> None:
    assert not RANDOM & UNDEFINED
    assert all(kind_of(name) == "random" for name in RANDOM)
    assert not set(FACTORS) & UNDEFINED


@given(count=st.integers(0, 400), wanted=st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_samples_are_spread_over_the_whole_list(count: int, wanted: int) -> None:
    places = spread(count, wanted)
    assert places == sorted(set(places))
    assert len(places) == min(count, max(wanted, 1))
    if len(places) > 1:
        assert (places[0], places[-1]) == (0, count - 1)


@given(one=st.integers(0, 10**9), other=st.integers(0, 10**9))
@settings(max_examples=30, deadline=None)
def test_more_elements_never_make_a_smaller_rung(one: int, other: int) -> None:
    assert SIZES.index(rung(min(one, other))) <= SIZES.index(rung(max(one, other)))


@given(text=st.text(max_size=300))
@settings(max_examples=40, deadline=None)
def test_a_graph_break_is_named_by_one_word(text: str) -> None:
    assert " " not in slug(text)
    assert len(slug(text)) <= 60


def test_a_compiler_that_is_not_there_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    assert compiler(("no-such-compiler", "nor-this-one")) is None
    assert compiler(()) is None


def _book(file: str) -> Any:
    return read(Path(recipes.__file__).with_name(file).read_text("utf-8"))


def test_own_recipes_reach_more_than_a_hundred_names() -> None:
    names = {recipe.function for recipe in _book("recipes.txt")}
    assert len(names) >= 150
    assert all(name.startswith("torch.") for name in names)


def test_every_kernel_of_the_ladder_has_four_sizes() -> None:
    rungs: dict[str, list[tuple[str, int]]] = {}
    for recipe in _book("ladder.txt"):
        rungs.setdefault(recipe.function, []).append((recipe.size_class, recipe.ladder))
    assert len(rungs) >= 30
    for name, steps in rungs.items():
        assert [size for size, _ in steps] == ["tiny", "small", "medium", "large"], name
        assert [n for _, n in steps] == sorted({n for _, n in steps}), name


class _Recorded(ModuleType):
    """A torch that writes down what it is asked for."""

    def __init__(self, device: str, *, hip: str | None = None, seen: bool = True) -> None:
        super().__init__("torch")
        self.asked: list[str] = []
        self.__version__ = "9.9.0"
        self.version = SimpleNamespace(cuda="99.1", hip=hip)
        tf32 = SimpleNamespace(allow_tf32=True)
        self.backends = SimpleNamespace(
            cuda=SimpleNamespace(matmul=tf32),
            cudnn=SimpleNamespace(allow_tf32=True, benchmark=False, version=lambda: 90000),
            mps=SimpleNamespace(is_built=lambda: seen, is_available=lambda: seen),
        )
        about = SimpleNamespace(name="Some Device", driver_version="1.2")
        api = SimpleNamespace(
            is_available=lambda: seen,
            get_device_name=lambda: "Some Device",
            get_device_properties=lambda: about,
            synchronize=lambda: self.asked.append("synchronize"),
        )
        for name in ("cuda", "mps", "xpu", "npu"):
            setattr(self, name, api if name == device else SimpleNamespace(is_available=lambda: False))
        self.always = False

    def set_num_threads(self, n: int) -> None:
        self.asked.append(f"threads {n}")

    def get_num_threads(self) -> int:
        return 1

    def get_float32_matmul_precision(self) -> str:
        return "highest"

    def is_warn_always_enabled(self) -> bool:
        return self.always

    def set_warn_always(self, on: bool) -> None:
        self.always = on


def _install(monkeypatch: pytest.MonkeyPatch, torch: _Recorded, **others: ModuleType) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    for name, module in others.items():
        monkeypatch.setitem(sys.modules, name.replace("__", "."), module)


@pytest.mark.parametrize(
    ("name", "hip"), [("cuda", None), ("rocm", "6.4"), ("mps", None), ("xpu", None), ("npu", None)]
)
def test_a_device_is_found_named_and_waited_for(
    name: str, hip: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = _Recorded("cuda" if name == "rocm" else name, hip=hip)
    npu = ModuleType("torch_npu")
    npu.__version__ = "2.1"  # type: ignore[attr-defined]
    _install(monkeypatch, torch, torch_npu=npu)
    for variable in (
        "PYTORCH_ENABLE_MPS_FALLBACK",
        "PYTORCH_ENABLE_XPU_FALLBACK",
        "PYTORCH_DEBUG_XPU_FALLBACK",
    ):
        monkeypatch.setenv(variable, "1")
    target = getattr(devices, name)()
    found = target.detect()
    assert isinstance(found, Present)
    assert found.framework_version == "9.9.0"
    assert "TF32 off" in found.notes
    target.wait()
    assert torch.asked[-1] == "synchronize"


@pytest.mark.parametrize("name", ["cuda", "rocm", "mps", "xpu"])
def test_a_device_that_torch_does_not_see_is_absent(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, _Recorded("none", seen=False))
    found = getattr(devices, name)().detect()
    assert isinstance(found, Absent)
    assert "torch 9.9.0" in found.reason


def test_a_rocm_build_is_not_taken_for_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, _Recorded("cuda", hip="6.4"))
    assert isinstance(devices.cuda().detect(), Absent)


def test_operations_that_a_backend_moves_to_the_cpu_are_named_once_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch = _Recorded("mps")
    _install(monkeypatch, torch)

    def run() -> None:
        assert torch.always
        for name in ("aten::lcm", "aten::lcm", "aten::_linalg_eigh"):
            text = f"The operator '{name}' is not supported on the backend and will fall back to the CPU."
            warnings.warn(text, UserWarning, stacklevel=1)
        warnings.warn("something else", UserWarning, stacklevel=1)

    assert devices.warned(run) == ("aten::lcm", "aten::_linalg_eigh")
    assert not torch.always


def test_a_fallback_without_a_name_is_still_a_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, _Recorded("xpu"))
    found = devices.warned(lambda: warnings.warn("Aten Op fallback from XPU to CPU happens.", stacklevel=1))
    assert found == ("operation_not_named",)


def test_torch_xla_is_waited_for_and_its_counters_name_what_left(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    counters: list[str] = ["aten::stale"]
    root, debug, core = ModuleType("torch_xla"), ModuleType("torch_xla.debug"), ModuleType("torch_xla.core")
    metrics, model = ModuleType("torch_xla.debug.metrics"), ModuleType("torch_xla.core.xla_model")
    vars(root).update(sync=lambda: done.append("started"), debug=debug, core=core, __version__="2.9")
    vars(metrics).update(clear_all=counters.clear, counter_names=lambda: counters)
    vars(model).update(wait_device_ops=lambda: done.append("waited"))
    vars(debug).update(metrics=metrics)
    vars(core).update(xla_model=model)
    _install(
        monkeypatch,
        _Recorded("none"),
        torch_xla=root,
        torch_xla__debug=debug,
        torch_xla__core=core,
        torch_xla__debug__metrics=metrics,
        torch_xla__core__xla_model=model,
    )
    target = devices.xla()
    target.wait()
    assert done == ["started", "waited"]
    left = devices.counted(
        lambda: counters.extend(["aten::nonzero", "xla::add", "aten::_local_scalar_dense"])
    )
    assert left == ("aten::_local_scalar_dense", "aten::nonzero")


_RUN = """
import json, sys
from importlib import import_module
from isoflop.portability.model import Timing
from isoflop.portability.registry import PROVIDERS, TARGETS
from isoflop.portability.task import Task
from isoflop.portability.worker.measure.execute import execute
def made(home):
    module, _, name = home.partition(":")
    return getattr(import_module(module), name)()
asked = json.loads(sys.argv[1])
provider = made(PROVIDERS[asked["provider"]].home)
target, reference = made(TARGETS[asked["target"]].home), made(TARGETS["torch:eager"].home)
items = list(provider.items(dtypes=(), sizes=tuple(asked["sizes"]), samples=1))
chosen = [i for i in items if i.function in asked["names"]] if asked["names"] else items[:: asked["every"]]
rows = []
for item in chosen:
    sides = {"target": target.id, "reference": "torch:eager"}
    task = Task(item=item, **sides, policy=asked["policy"], timing=Timing.none())
    row = execute(task, provider=provider, target=target, reference=reference)
    rows.append({**row, "function": item.function, "variant": item.variant})
keys = ("function", "variant", "status", "agreement", "gradient", "fallback_ops", "error_head", "sample_id")
print("ROWS" + json.dumps([len(items), [{k: row.get(k) for k in keys} for row in rows]]))
"""


def _rows(
    python: Path,
    target: str,
    *,
    provider: str = "opinfo",
    names: tuple[str, ...] = (),
    every: int = 1,
    policy: str = "fallback",
    sizes: tuple[str, ...] = (),
) -> tuple[int, list[dict[str, Any]]]:
    asked = {
        "target": target,
        "provider": provider,
        "names": names,
        "every": every,
        "policy": policy,
        "sizes": sizes,
    }
    home = str(Path(import_module("isoflop").__file__ or "").parents[1])
    done = subprocess.run(
        [str(python), "-c", _RUN, json.dumps(asked)],
        env={"PYTHONPATH": home, "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    count, rows = json.loads(done.stdout.rpartition("ROWS")[2])
    return count, rows


@pytest.mark.slow
def test_eager_agrees_with_itself_on_a_tenth_of_the_table(frameworks: Path) -> None:
    count, rows = _rows(frameworks, "torch:eager", every=10)
    assert count >= 600
    assert {row["status"] for row in rows} <= {"ok", "input_error"}
    assert {row["gradient"] for row in rows} <= {"agree", None}
    assert all(row["sample_id"] for row in rows if row["status"] == "ok")


@pytest.mark.slow
def test_meta_tensors_carry_shapes_but_no_values(frameworks: Path) -> None:
    names = ("torch.matmul", "torch.nonzero", "torch.Tensor.item", "torch.linalg.svd", "torch.empty_like")
    _, rows = _rows(frameworks, "torch:meta", names=names)
    status = {row["function"]: row["status"] for row in rows}
    assert {status[name] for name in ("torch.matmul", "torch.linalg.svd", "torch.empty_like")} == {"ok"}
    assert {status[name] for name in ("torch.nonzero", "torch.Tensor.item")} == {"skipped"}


@pytest.mark.slow
def test_what_a_compiler_leaves_to_python_counts_under_the_fallback_policy_alone(frameworks: Path) -> None:
    names = ("torch.sin", "torch.bernoulli", "torch.nn.functional.dropout", "torch.allclose")
    _, loose = _rows(frameworks, "torch:aot_eager", names=names)
    _, strict = _rows(frameworks, "torch:aot_eager", names=names, policy="strict")
    by_name = {row["function"]: row for row in loose}
    assert by_name["torch.allclose"]["status"] == "ok_fallback"
    assert "graph_break" in by_name["torch.allclose"]["fallback_ops"]
    others = set(names) - {"torch.allclose"}
    assert {by_name[name]["status"] for name in others} == {"ok"}
    assert {row["status"] for row in strict if row["function"] in others} == {"ok"}
    assert {row["status"] for row in strict if row["function"] == "torch.allclose"} == {"error"}


@pytest.mark.slow
@pytest.mark.parametrize("target", ["torch:inductor", "torch:onnxruntime", "torch:openvino"])
def test_compilers_and_runtimes_agree_on_common_functions(target: str, frameworks: Path) -> None:
    names = ("torch.nn.functional.gelu", "torch.matmul", "torch.nn.functional.layer_norm")
    _, rows = _rows(frameworks, target, names=names)
    assert {row["agreement"] for row in rows} == {"agree"}


@pytest.mark.slow
def test_layers_optimisers_and_recipes_agree_with_themselves(frameworks: Path) -> None:
    for provider, every, least in (("modules", 7, 114), ("optimisers", 1, 14), ("torch_recipes", 6, 150)):
        count, rows = _rows(
            frameworks, "torch:eager", provider=provider, every=every, sizes=("tiny", "small")
        )
        assert count >= least
        assert {row["status"] for row in rows} == {"ok"}, provider
