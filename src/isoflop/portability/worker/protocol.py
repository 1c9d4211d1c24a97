"""JSON lines over a pair of descriptors that no library writes to by accident."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

HIGH = 200
"""Descriptors of the protocol are moved up here, out of the reach of libraries that close the low ones."""
_PR_SET_PDEATHSIG = 1
"""Number of the call in Linux' own table."""
Message = dict[str, Any]


def raise_descriptor(low: int) -> int:
    """Return a copy of a descriptor above `HIGH`; the low one is closed."""
    import fcntl

    high: int = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(low)
    return high


def die_with_parent() -> None:
    """Have this process killed when its parent dies, even while it hangs in C; on Linux only.

    Elsewhere a worker ends when it next looks at its pipe.
    """
    if sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def send(descriptor: int, message: Message) -> None:
    """Write one message; raises BrokenPipeError where nobody reads any more."""
    data = (json.dumps(message, separators=(",", ":")) + "\n").encode()
    while data:
        data = data[os.write(descriptor, data) :]


def received(descriptor: int) -> Iterator[Message]:
    """Yield messages until the other side closes the pipe."""
    rest = b""
    while True:
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield json.loads(line)
