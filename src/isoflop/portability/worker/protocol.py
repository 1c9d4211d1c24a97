"""JSON lines over a pair of descriptors that no library writes to by accident."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

HIGH = 200
"""Descriptors of the protocol are moved up here, out of the reach of libraries that close the low ones."""
Message = dict[str, Any]


def raise_descriptor(low: int) -> int:
    """Return a copy of a descriptor above `HIGH`; the low one is closed."""
    import fcntl

    high: int = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(low)
    return high


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
