"""Functions of known behaviour on NumPy: plain ones, and those that bring a process down."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def null(x: Array) -> Array:
    """Return the input: what is timed is the harness."""
    return x


def sort(x: Array) -> Array:
    """Return the sorted rows."""
    return np.sort(x, axis=-1)


def random(x: Array) -> Array:
    """Return noise of the input's shape, another each time."""
    return np.random.default_rng().standard_normal(x.shape).astype(x.dtype)


def empty(x: Array) -> Array:
    """Return memory as it is."""
    return np.empty_like(x)


def svd(x: Array) -> tuple[Array, Array, Array]:
    """Return the singular value decomposition, whose signs are free."""
    u, s, vh = np.linalg.svd(x, full_matrices=False)
    return u, s, vh


def fails(x: Array) -> Array:  # noqa: ARG001
    """Raise, always."""
    raise ValueError("fake: this function always fails")


def segv(x: Array) -> Array:
    """Read address zero."""
    ctypes.string_at(0)
    return x


def abort(x: Array) -> Array:
    """Abort the process as a failed assertion of a C library does."""
    os.abort()
    return x


def leave(x: Array) -> Array:
    """End the process without a word."""
    os._exit(7)
    return x


def overflow(x: Array) -> Array:
    """Recurse until the stack of the process is gone."""
    sys.setrecursionlimit(10**9)

    def deeper(depth: int) -> int:
        return deeper(depth + 1) + 1

    import threading

    threading.stack_size(0)
    deeper(0)
    os.kill(os.getpid(), signal.SIGSEGV)  # interpreters that keep no C stack run out of memory instead
    return x


def bomb(x: Array) -> Array:  # noqa: ARG001
    """Take memory until there is none."""
    held = []
    while True:
        held.append(np.ones(2**24))


def loop(x: Array) -> Array:  # noqa: ARG001
    """Stay inside C, where no Python signal handler runs."""
    libc = ctypes.PyDLL(None)
    while True:
        libc.sleep(60)


def hang(x: Array) -> Array:
    """Sleep for an hour."""
    time.sleep(3600)
    return x


def flood(x: Array) -> Array:
    """Write ten megabytes to standard output, past Python."""
    line = b"x" * 1023 + b"\n"
    for _ in range(10_240):
        os.write(1, line)
    return x


def fork(x: Array) -> Array:
    """Fork, and let the child live on as a copy of the worker for a moment."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return x


def close(x: Array) -> Array:
    """Close every descriptor that a library could close."""
    os.closerange(3, 256)
    return x


PLAIN: dict[str, Callable[..., Any]] = {
    "null": null,
    "add": np.add,
    "matmul": np.matmul,
    "exp": np.exp,
    "sort": sort,
    "random": random,
    "empty": empty,
    "svd": svd,
    "fails": fails,
}
TROUBLE: dict[str, Callable[..., Any]] = {
    "segv": segv,
    "abort": abort,
    "leave": leave,
    "overflow": overflow,
    "bomb": bomb,
    "loop": loop,
    "hang": hang,
    "flood": flood,
    "fork": fork,
    "close": close,
}
