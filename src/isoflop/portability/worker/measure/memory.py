"""Peak memory of one task, on the host."""

from __future__ import annotations

import re
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_FIELD = re.compile(r"^(VmHWM|VmRSS):\s+(\d+) kB", re.MULTILINE)


class Peak:
    """The growth of resident memory from its making on, where the system can tell; else nothing.

    The highest mark of a process covers all that it ever did; Linux can be asked to begin anew. Memory of a
    device is not seen.
    """

    def __init__(self) -> None:
        self._before: int | None = None
        try:
            # "5" resets the high-water mark alone.
            _CLEAR.write_text("5", encoding="ascii")
            self._before = _marks()["VmRSS"]
        except (OSError, KeyError):
            return

    def byte(self) -> int | None:
        """Return the bytes by which memory grew at most, None where unknown or too little to be seen."""
        if self._before is None:
            return None
        try:
            grown = _marks()["VmHWM"] - self._before
        except (OSError, KeyError):
            return None
        return grown if grown > 0 else None


def _marks() -> dict[str, int]:
    text = _STATUS.read_text(encoding="ascii", errors="replace")
    return {name: int(kilobyte) * 1024 for name, kilobyte in _FIELD.findall(text)}
