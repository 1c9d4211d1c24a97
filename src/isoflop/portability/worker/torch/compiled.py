"""``torch.compile``: captured without code generation (aot_eager), and compiled for this CPU (inductor).

Under the strict policy a function must be captured whole. Under the fallback policy the parts that cannot be
captured run as plain Python and are named: each is an operation that left the compiler.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import types
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from isoflop.portability.model import Level, Policy
from isoflop.portability.worker.interface import Absent, Call, Prepared, Present
from isoflop.portability.worker.ready import Ready
from isoflop.portability.worker.torch.eager import load, not_installed, settings
from isoflop.portability.worker.torch.placed import gradient, on
from isoflop.portability.worker.torch.values import leaves

COMPILERS = ("g++", "clang++")
"""What inductor calls for the code that it writes; one of them must be there."""
_CACHE = "TORCHINDUCTOR_CACHE_DIR"
_WORD = re.compile(r"\W+")
_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """``torch.compile`` with one backend, on the CPU.

    Parameters
    ----------
    id : str
    backend : str
        As torch names it.
    compilers : tuple of str
        Programs of which one must be installed; empty for none.
    level : str
    """

    id: str
    backend: str
    compilers: tuple[str, ...] = ()
    level: Level = "ran"

    def detect(self) -> Present | Absent:
        """Say whether torch can compile here."""
        try:
            torch = load()
            import torch._dynamo as dynamo
        except ImportError as error:
            return not_installed(error)
        found = compiler(self.compilers)
        if self.compilers and found is None:
            return Absent(reason=f"{self.compilers[0]} not found")
        if self.backend not in dynamo.list_backends(exclude_tags=()):
            return Absent(reason=f"torch {torch.__version__} has no backend {self.backend}")
        version = str(torch.__version__)
        made_by = f"; {found}, caches off" if found else ""
        return Present(
            target_version=version,
            framework_version=version,
            device_name=str(torch.backends.cpu.get_cpu_capability()),
            notes=settings(torch) + made_by,
        )

    def prepare(self, call: Call, policy: Policy) -> Prepared:
        """Compile by a first run on a copy of the inputs.

        A function that keeps what it was given (an optimiser) cannot be copied after it was compiled: it is
        compiled by its first call instead.
        """
        at = on(call)
        compiled = self._compile(at.function, policy)
        leaving = Leaving()
        if not hasattr(at.function, "settle"):
            on(call).through(compiled).run()
            leaving.names()
        return Ready(run=at.through(compiled).run, read=leaves, left=leaving.names)

    def prepare_gradient(self, call: Call, policy: Policy) -> Prepared | None:
        """Compile both ways by a first run."""
        at = on(call)
        found = gradient(at, self._compile(at.function, policy))
        return None if found is None else Ready(run=found.run, read=leaves)

    def null_call(self) -> Callable[[], None]:
        """Return the compiled negation of one number."""
        torch = load()
        compiled = self._compile(torch.neg, "strict")
        one = torch.ones(1)
        compiled(one)

        def null() -> None:
            compiled(one)

        return null

    def _compile(self, function: Any, policy: Policy) -> Any:
        torch = load()
        if self.compilers:
            cold()
        return torch.compile(
            own_code(function), backend=self.backend, dynamic=False, fullgraph=policy == "strict"
        )


def aot_eager() -> Compiled:
    """Return capture by dynamo and AOT autograd; the captured graph runs operation by operation."""
    return Compiled(id="torch:aot_eager", backend="aot_eager")


def inductor() -> Compiled:
    """Return code generated for this CPU."""
    return Compiled(id="torch:inductor", backend="inductor", compilers=COMPILERS)


def compiler(names: tuple[str, ...]) -> str | None:
    """Return the first program of `names` that is installed, or what CXX names."""
    wanted = (os.environ.get("CXX", ""), *names) if names else ()
    return next((name for name in wanted if name and shutil.which(name)), None)


def cold() -> None:
    """Let inductor compile everything anew, in this process: a time to prepare is that of a cold cache."""
    import torch._inductor.config as config

    if _CACHE not in os.environ:
        folder = tempfile.mkdtemp(prefix="isoflop-inductor-")
        weakref.finalize(config, shutil.rmtree, folder, ignore_errors=True)
        os.environ[_CACHE] = folder
    config.force_disable_caches = True
    config.compile_threads = 1


def own_code(function: Any) -> Any:
    """Return a function of its own code that calls `function`.

    Dynamo counts compilations by code object and gives up after eight: each tested call needs its own.
    """

    def run(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    # A replaced code object is a new one, whatever is replaced.
    code = run.__code__.replace(co_name=run.__name__)
    return types.FunctionType(code, run.__globals__, run.__name__, None, run.__closure__)


class Leaving:
    """What is left to plain Python while something is compiled, from now until first asked."""

    def __init__(self) -> None:
        self._breaks, self._frames = dict(_counted("graph_break")), dict(_counted("frames"))
        self._names: tuple[str, ...] | None = None

    def names(self) -> tuple[str, ...]:
        """Return what was left, in order, once each."""
        if self._names is None:
            self._names = self._since()
        return self._names

    def _since(self) -> tuple[str, ...]:
        breaks = [text for text, n in _counted("graph_break").items() if n > self._breaks.get(text, 0)]
        if breaks:
            return tuple(dict.fromkeys(f"graph_break:{slug(text)}" for text in breaks))
        frames = _counted("frames")
        total, ok = (frames.get(name, 0) - self._frames.get(name, 0) for name in ("total", "ok"))
        return ("frame_not_compiled",) if total > ok else ()


def _counted(name: str) -> dict[str, int]:
    """Return one of dynamo's counters."""
    from torch._dynamo.utils import counters

    return dict(counters[name])


def slug(text: str) -> str:
    """Return the first line of a text as one word.

    Examples
    --------
    >>> slug("Unsupported Tensor.item() call\\n  Explanation: …")
    'Unsupported_Tensor_item_call'
    """
    return _WORD.sub("_", text.strip().partition("\n")[0])[:_SHOWN].strip("_")
