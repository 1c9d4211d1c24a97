"""`trace`: run a script in a process of its own and write down what it calls of frameworks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from isoflop.errors import EvidenceError, SettingError
from isoflop.portability.model import SizeClass
from isoflop.portability.names import canonical
from isoflop.portability.task import Item, Kind, digest
from isoflop.portability.trace.result import Trace
from isoflop.portability.worker.trace.describe import main_dtype

On = Literal["cpu", "meta"]
STDERR = 2
"""The descriptor, as standard error may be an object without one."""
_RANDOM = frozenset({
    "rand", "randn", "randint", "randperm", "rand_like", "randn_like", "randint_like", "normal", "uniform",
    "bernoulli", "multinomial", "dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "poisson",
    "categorical", "permutation", "choice", "gamma", "beta", "exponential", "truncated_normal", "shuffle",
    "normal_", "uniform_", "bernoulli_", "exponential_", "random_", "gumbel_softmax", "rrelu", "split", "key",
})  # fmt: skip
_UNDEFINED = frozenset({"empty", "empty_like", "empty_strided", "new_empty"})
_SIZE: SizeClass = "trace"


def trace(
    script: str | Path,
    *,
    args: Sequence[str] = (),
    on: On = "cpu",
    python: str | Path | None = None,
    timeout_s: float | None = None,
) -> Trace:
    """Run a script and write down the framework calls it makes: names, shapes, dtypes and scalars.

    The script runs as the user, with all that the user may do. What arrays hold is not written down.

    Parameters
    ----------
    script : path
    args : sequence of str
        The script's own arguments.
    on : {"cpu", "meta"}
        With ``meta`` torch makes tensors without values: large models can be traced without their memory,
        and a script that looks at values stops there.
    python : path, optional
        Interpreter that has the frameworks; default this one.
    timeout_s : float, optional
        Seconds after which the script is ended; what it called until then is kept.

    Returns
    -------
    Trace
        Its `items` are a catalogue for `isoflop.portability.run`.

    Raises
    ------
    EvidenceError
        The script does not exist, or could not be started.
    SettingError
        `on` is neither ``cpu`` nor ``meta``.
    """
    if on not in ("cpu", "meta"):
        raise SettingError(f"trace: on={on!r}, must be 'cpu' or 'meta'. Use 'cpu' to compute real values.")
    path = Path(script)
    if not path.is_file():
        raise EvidenceError(f"trace: {str(script)!r} is no file, a Python script is needed. Check the path.")
    with tempfile.TemporaryDirectory(prefix="isoflop-trace-") as folder:
        out = Path(folder) / "calls.jsonl"
        ended = _watched(str(python or sys.executable), out, on, str(path), list(args), timeout_s)
        lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    if not lines and ended:
        raise EvidenceError(
            f"trace: the script could not be watched: {ended}. Name another interpreter by python=."
        )
    return trace_of(lines, script=path.name, on=on, ended=ended)


def trace_of(lines: Sequence[str], *, script: str, on: str, ended: str = "") -> Trace:
    """Return the trace of the lines that a watched script left; the last one may be torn."""
    calls: list[dict[str, Any]] = []
    end: dict[str, Any] = {}
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if "call" in found:
            calls.append(found["call"])
        else:
            end = found["end"]
    counts = end.get("counts") or [1] * len(calls)
    error = end.get("error") or ({} if end else {"type": "its process", "head": ended or "ended early"})
    return Trace(
        items=tuple(_item(call) for call in calls),
        counts=tuple(counts[: len(calls)]),
        left_out=end.get("left_out", {}),
        versions=end.get("versions", {}),
        error=error,
        script=script,
        on=on,
    )


def _watched(python: str, out: Path, on: str, script: str, args: list[str], timeout_s: float | None) -> str:
    """Run the watcher; return how it failed to end well, or nothing.

    What the script prints goes to standard error: standard output belongs to the result.
    """
    root = str(Path(__file__).resolve().parents[3])
    known = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": root + (os.pathsep + known if known else "")}
    command = [python, "-m", "isoflop.portability.worker.trace.main", str(out), on, script, *args]
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=STDERR, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        return f"it ran longer than {timeout_s:g} s"
    except OSError as error:
        return f"{python}: {error.strerror}"
    return f"signal {-done.returncode}" if done.returncode < 0 else ""


def _item(call: Mapping[str, Any]) -> Item:
    described = {"args": call["args"], "kwargs": call["kwargs"]}
    function = canonical(call["function"])
    last = function.rpartition(".")[2]
    kind: Kind = "deterministic"
    if last in _RANDOM and not function.startswith(("jax.numpy", "torch.Tensor.split", "torch.split")):
        kind = "random"
    elif last in _UNDEFINED:
        kind = "undefined_values"
    return Item(
        framework=call["framework"],
        function=function,
        provider=f"{call['framework']}-trace",
        dtype=main_dtype([call["args"], list(call["kwargs"].values())]),
        size_class=_SIZE,
        address=json.dumps(described, sort_keys=True),
        kind=kind,
        sample_id=digest(function, described),
    )
