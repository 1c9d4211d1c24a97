"""IREE's compiler, called in this process through its own C interface, with its diagnostics as the error.

The Python classes of `iree.compiler.api` give no diagnostics; the C interface does, by a callback.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

from isoflop.portability.worker.interface import Absent

_ERROR = 2
"""Severity of a diagnostic that stops compiling."""
_CALLBACK = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p)
_OPERATION = "see current operation"
_ARCHITECTURES = {
    "llvm-cpu": ("--iree-llvmcpu-target-cpu", "generic"),
    "cuda": ("--iree-cuda-target", "sm_80"),
    "rocm": ("--iree-rocm-target", "gfx942"),
    "vulkan-spirv": ("--iree-vulkan-target", ""),
}
"""Flag that chooses an architecture, and the one compiled for unless another is asked for; where it is empty,
IREE's own default."""


class CompileError(RuntimeError):
    """IREE's compiler refused a module; the text is its first diagnostics."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What is compiled for.

    Parameters
    ----------
    name : str
        IREE's name, e.g. ``cuda``.
    architecture : str
        E.g. ``sm_90``; empty for the default.
    """

    name: str
    architecture: str = ""

    @property
    def chosen(self) -> str:
        """Return the architecture that is compiled for; empty for IREE's own default."""
        return self.architecture or _ARCHITECTURES.get(self.name, ("", ""))[1]

    @property
    def flags(self) -> tuple[str, ...]:
        """Return the flags of IREE's compiler."""
        flag = _ARCHITECTURES.get(self.name, ("", ""))[0]
        architecture = (f"{flag}={self.chosen}",) if flag and self.chosen else ()
        return (f"--iree-hal-target-backends={self.name}", *architecture)


def version() -> str | Absent:
    """Return the compiler's version, or why it is not here."""
    try:
        from iree.compiler import version as found
    except ImportError as error:
        return Absent(reason=f"iree-base-compiler cannot be imported: {error}")
    return str(found.VERSION)


def missing(backend: str) -> Absent | None:
    """Return why a backend is not in this build of the compiler, or None if it is."""
    from iree.compiler.tools import query_available_targets

    built = query_available_targets()
    return (
        None if backend in built else Absent(reason=f"no {backend} in this build of IREE, which has {built}")
    )


def compile_text(text: str, *, kind: str, backend: Backend) -> int:
    """Compile a module and return the size of the result in bytes.

    Parameters
    ----------
    text : str
        MLIR.
    kind : {"onnx", "stablehlo"}
        Dialect of the text.
    backend : Backend

    Raises
    ------
    CompileError
        The compiler refused it.
    """
    from iree.compiler.api import Output, Session, Source

    with Session() as session:
        session.set_flags(f"--iree-input-type={kind}", *backend.flags)
        invocation = session.invocation()
        said: list[str] = []
        listener = _listen(invocation, said)
        source = Source.wrap_buffer(session, text.encode() + b"\0")
        if not invocation.parse_source(source) or not invocation.execute():
            raise CompileError(_summary(said))
        with Output.open_membuffer() as output:
            invocation.output_vm_bytecode(output)
            size = len(output.map_memory())
        invocation.close()
        del listener
    return size


def _listen(invocation: Any, said: list[str]) -> Any:
    """Collect the errors of an invocation; what is returned must live as long as it does."""
    from iree.compiler.api import ctypes_dl

    enable = ctypes_dl._dylib.ireeCompilerInvocationEnableCallbackDiagnostics
    enable.restype = None
    enable.argtypes = [ctypes.c_void_p, ctypes.c_int, _CALLBACK, ctypes.c_void_p]

    def hear(severity: int, message: int, size: int, _: int | None) -> None:
        if severity >= _ERROR:
            said.append(ctypes.string_at(message, size).decode("utf-8", "replace"))

    listener = _CALLBACK(hear)
    enable(invocation._inv_p, 0, listener, None)
    return listener


def _summary(said: list[str]) -> str:
    """Return the first diagnostics without the operations that they quote.

    Examples
    --------
    >>> _summary(["a.mlir:3:1: failed to legalize op\\n\\na.mlir:3:1: see current operation: x", "b"])
    'failed to legalize op; b'
    """
    heads = [line for text in said for line in text.splitlines() if line.strip() and _OPERATION not in line]
    plain = dict.fromkeys(_without_place(line) for line in heads[:4])
    return "; ".join(plain) or "the compiler refused the module without a word"


def _without_place(line: str) -> str:
    place, found, rest = line.partition(": ")
    return rest if found and place.count(":") >= 2 else line.strip()
