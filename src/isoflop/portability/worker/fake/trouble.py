"""Functions that kill, hang or flood the process that runs them, once a target has armed them.

On the reference they give their input back, so that a task's trouble is always the target's.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isoflop.portability.worker.fake.functions import Function, four_ones, leaf

BOMB_BYTE = 2 << 30
"""A memory bomb gives up at 2 GiB, so that it cannot bring down a computer without limits."""
_CHUNK = 64 << 20
FLOOD_BYTE = 4 << 20
_armed = False
_troubles = 0


@contextmanager
def armed() -> Iterator[None]:
    """Let the functions of this module do harm inside the block."""
    global _armed, _troubles
    _armed = True
    try:
        yield
    finally:
        _armed = False
        _troubles += 1


def segv() -> None:
    """Die of a memory fault, as a kernel with a wild pointer does."""
    import ctypes

    signal.signal(signal.SIGSEGV, signal.SIG_DFL)
    ctypes.string_at(0)


def abort() -> None:
    """Die as an assertion in C dies."""
    os.abort()


def exit_at_once() -> None:
    """End the process without a word, with a code that means nothing."""
    os._exit(3)


def stack_overflow() -> None:
    """Run out of the C stack: a thread with the smallest stack recurses without Python's guard."""
    threading.stack_size(64 * 1024)
    sys.setrecursionlimit(10**6)
    thread = threading.Thread(target=_deep)
    thread.start()
    thread.join()


def memory_bomb() -> None:
    """Fill memory until there is none, at most 2 GiB."""
    held: list[NDArray[np.uint8]] = []
    while len(held) * _CHUNK < BOMB_BYTE:
        held.append(np.ones(_CHUNK, dtype=np.uint8))
    raise MemoryError(f"gave up after {BOMB_BYTE} bytes")


def loop() -> None:
    """Hang in C: the interpreter lock is held and no signal is looked at."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    sum(iter(int, 1))


def stdout_flood() -> None:
    """Write megabytes to the descriptors of standard output and error, as C libraries do."""
    line = b"x" * 1023 + b"\n"
    for _ in range(FLOOD_BYTE // len(line)):
        os.write(1, line)
        os.write(2, line)


def fork() -> None:
    """Start a child that ends soon after."""
    child = os.fork()
    if child == 0:
        time.sleep(0.05)
        os._exit(0)
    os.waitpid(child, 0)


def closed_descriptors() -> None:
    """Close standard input, output and error."""
    for descriptor in range(3):
        try:
            os.close(descriptor)
        except OSError:
            continue


def used_process() -> None:
    """Die unless nothing went wrong in this process before: a second try in a fresh one succeeds."""
    if _troubles:
        os.abort()


def _deep() -> Any:
    return leaf(_Nested())


class _Nested:
    def __array__(self, dtype: Any = None, copy: Any = None) -> NDArray[Any]:
        return np.asarray(_Nested())


def _make(harm: Callable[[], None], name: str) -> Function:
    def run(x: NDArray[Any]) -> NDArray[Any]:
        if _armed:
            harm()
        return x

    return Function(name=f"fake.trouble.{name}", run=run, inputs=four_ones)


HARMS: dict[str, Callable[[], None]] = {
    "segv": segv,
    "abort": abort,
    "exit": exit_at_once,
    "stack_overflow": stack_overflow,
    "memory_bomb": memory_bomb,
    "loop": loop,
    "stdout_flood": stdout_flood,
    "fork": fork,
    "closed_descriptors": closed_descriptors,
    "used_process": used_process,
}
TROUBLES: dict[str, Function] = {
    function.name: function for function in (_make(harm, name) for name, harm in HARMS.items())
}
"""Functions that do harm on ``fake:trouble``, by name."""
