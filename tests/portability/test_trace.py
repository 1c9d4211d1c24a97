"""Traces: what is described of a call, how a script is watched, and that its calls can be made again."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.commands.trace import trace as command
from isoflop.portability.registry import PROVIDERS
from isoflop.portability.trace.find import trace, trace_of
from isoflop.portability.trace.result import read_trace
from isoflop.portability.worker.recipes.inputs import Stream
from isoflop.portability.worker.trace.describe import describe, is_replayable, main_dtype
from isoflop.portability.worker.trace.provider import HIGH, LOW, Traced, numbers
from isoflop.portability.worker.trace.watch import torch_name

SLOW = (pytest.mark.slow, pytest.mark.ci)
STUB = """
import numpy as _np
def sin(x):
    return cos(x)
def cos(x):
    return _np.cos(x)
def shape(x):
    return _np.shape(x)
class Array: pass
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a stand-in for JAX: two functions, one of which calls the other."""
    package = tmp_path / "jax"
    package.mkdir()
    (package / "__init__.py").write_text("__version__ = '0.0'\nfrom jax import numpy\n")
    (package / "numpy.py").write_text(STUB)
    for name in ("nn", "random", "lax", "image", "ops"):
        (package / f"{name}.py").write_text("")
    (package / "scipy").mkdir()
    for name in ("__init__", "special", "linalg", "signal"):
        (package / "scipy" / f"{name}.py").write_text("")
    return tmp_path


def script(folder: Path, text: str) -> Path:
    path = folder / "script.py"
    path.write_text("import jax\nimport jax.numpy as jnp\nimport numpy as np\n" + text)
    return path


def test_outermost_calls_are_written_with_shapes_and_counted(folder: Path) -> None:
    path = script(
        folder,
        "import sys\nfor _ in range(3):\n    jnp.sin(np.ones((2, 3), 'float32'))\njnp.cos(len(sys.argv))\n",
    )
    found = trace(path, args=("one", "two"), python=sys.executable)
    assert found.calls == {"jax.numpy.sin": 3, "jax.numpy.cos": 1}
    assert [row["inputs"] for row in found.rows()] == ["float32[2, 3]", ""]
    assert json.loads(found.items[1].address) == {"args": [3], "kwargs": {}}
    assert found.versions == {"jax": "0.0"}
    assert found.items[0].provider in PROVIDERS
    assert any("methods and operators" in caution for caution in found.cautions)


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("raise ValueError('no luck')", "ValueError: no luck"),
        pytest.param("import os\nos._exit(3)", "ended early", marks=SLOW),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "signal 9"),
        pytest.param("while True: pass", "longer than", marks=SLOW),
    ],
)
def test_a_script_that_dies_leaves_what_it_called_until_then(folder: Path, ending: str, told: str) -> None:
    path = script(folder, f"jnp.sin(np.ones(2))\n{ending}\njnp.cos(1.0)\n")
    found = trace(path, timeout_s=1.0 if "while" in ending else None)
    assert found.calls == {"jax.numpy.sin": 1}
    assert told in found.cautions[0]


def test_what_arrays_hold_is_not_written(folder: Path) -> None:
    path = script(
        folder, "jnp.sin(np.full(3, 123456.0))\njnp.cos([98765.0] * 40)\njnp.cos('/srv/somebody/data')\n"
    )
    found = trace(path)
    found.write(folder / "trace.jsonl")
    text = (folder / "trace.jsonl").read_text()
    assert "123456" not in text
    assert "98765" not in text
    assert "somebody" not in text
    assert found.left_out == {"jax.numpy.cos": 1}


def test_a_trace_is_read_as_it_was_written(folder: Path) -> None:
    found = trace(script(folder, "jnp.sin(np.ones(2))\n"))
    found.write(folder / "a.jsonl")
    again = read_trace(folder / "a.jsonl")
    assert (again.items, again.counts, again.calls) == (found.items, found.counts, found.calls)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"trace": 1}\n{"a": 1}', "{}"])
def test_what_is_no_trace_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(EvidenceError, match="is no trace"):
        read_trace(tmp_path / "a.jsonl")


def test_a_newer_trace_and_an_absent_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"trace": 99}')
    with pytest.raises(EvidenceError, match="Update isoflop"):
        read_trace(tmp_path / "a.jsonl")
    with pytest.raises(EvidenceError, match="no file"):
        read_trace(tmp_path / "b.jsonl")
    with pytest.raises(EvidenceError, match="is no file"):
        trace(tmp_path / "no.py")
    with pytest.raises(SettingError, match="must be 'cpu' or 'meta'"):
        trace(tmp_path / "no.py", on="gpu")  # type: ignore[arg-type]
    (tmp_path / "s.py").write_text("")
    with pytest.raises(EvidenceError, match="could not be watched"):
        trace(tmp_path / "s.py", python=tmp_path / "no-python")


def test_a_torn_last_line_is_left_out() -> None:
    line = json.dumps({"call": {"framework": "jax", "function": "jax.numpy.sin", "args": [], "kwargs": {}}})
    assert trace_of([line, line[:20]], script="s", on="cpu").calls == {"jax.numpy.sin": 1}


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats(allow_nan=False)
    | st.sampled_from(["same", "ij->i"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text("ab", max_size=2), inner)
    ),
    max_leaves=8,
)


@given(value=values)
@settings(max_examples=50, deadline=None)
def test_a_call_of_plain_values_is_made_again_as_it_was(value: object) -> None:
    described = json.loads(json.dumps(describe(value)))
    assert is_replayable(described)
    provider = Traced(name="t", framework="torch", array=lambda v, name: v.astype(name), dtype=np.dtype)
    again = provider._filled(described, stream=Stream("x"), wide=False)
    assert again == value
    assert type(again) is type(value)


def test_arrays_come_back_with_their_shape_and_dtype_and_other_numbers() -> None:
    for dtype in ("float32", "float64", "int64", "bool", "complex64"):
        described = describe(np.ones((2, 3), dtype))
        found = numbers(tuple(described["array"]), described["dtype"], Stream(dtype))
        assert found.shape == (2, 3)
        if dtype.startswith("float"):
            assert ((found > LOW) & (found < HIGH)).all()
    assert main_dtype([{"array": [1], "dtype": "int64"}, {"array": [1], "dtype": "float16"}]) == "float16"


def test_operators_of_tensors_are_named_as_their_methods() -> None:
    assert torch_name("torch.Tensor.__matmul__") == "torch.Tensor.matmul"
    assert torch_name("torch.nn.functional.relu") == "torch.nn.functional.relu"
    assert torch_name("torch.Tensor.grad.__get__") == ""
    assert torch_name("torch.Tensor.__repr__") == ""


def test_the_command_prints_a_document_alone_on_standard_output(folder: Path) -> None:
    path = script(folder, "import sys\njnp.sin(np.ones(2))\nprint('noise', sys.argv[1:])\n")
    out = folder / "t.jsonl"
    done = CliRunner().invoke(command, [str(path), "--json", "--out", str(out), "--", "--lr", "3"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["tables"]["functions"] == [{"function": "jax.numpy.sin", "calls": 1}]
    assert len(read_trace(out).items) == 1


@pytest.mark.slow
def test_a_script_of_torch_is_traced_and_replayed(frameworks: Path, tmp_path: Path) -> None:
    from isoflop.portability.engine.run import run
    from isoflop.portability.engine.targets import Interpreters
    from isoflop.portability.model import Timing

    path = tmp_path / "s.py"
    path.write_text(
        "import torch\nimport torch.nn.functional as F\nnet = torch.nn.Linear(4, 2)\n"
        "x = torch.rand(3, 4)\ny = F.relu(net(x)) @ torch.ones(2, 5)\n(y * 2).sum().backward()\n"
    )
    found = trace(path, python=frameworks)
    assert {"torch.nn.functional.linear", "torch.nn.functional.relu", "torch.Tensor.matmul"} <= set(
        found.calls
    )
    ran = run(
        found.items,
        targets=["torch:meta"],
        timing=Timing.none(),
        python=Interpreters(default=str(frameworks)),
        out=tmp_path / "run",
    )
    statuses = ran.frame()["status"].value_counts().to_dicts()
    assert {row["status"] for row in statuses} <= {"ok", "input_error"}
    assert max(statuses, key=lambda row: row["count"])["status"] == "ok"
