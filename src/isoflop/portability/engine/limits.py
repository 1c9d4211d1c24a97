"""What workers may take of a computer."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

MOST_BYTE = 8 << 30
SHARE = 0.6
"""Of the memory that is free when a run begins; the rest is for the parent and for everybody else."""
_GROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)


def memory_limit() -> int:
    """Return the resident memory at which a worker is killed, in bytes: at most 8 GiB.

    Examples
    --------
    >>> 0 < memory_limit() <= MOST_BYTE
    True
    """
    free = [room for room in (_free_of_system(), _free_of_group()) if room is not None]
    return min([MOST_BYTE, *(int(SHARE * room) for room in free)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a worker may take.

    Parameters
    ----------
    recycle_after : int
        Tasks after which a worker is replaced.
    memory_byte : int or None
        Resident memory at which it is killed; None for no limit.
    budget_s : float or None
        Seconds after which no further task is begun.
    """

    recycle_after: int = 500
    memory_byte: int | None = field(default_factory=memory_limit)
    budget_s: float | None = None


def _free_of_system() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _free_of_group() -> int | None:
    """Return what the control group of this process leaves, or None where it sets no limit."""
    for limit, used in _GROUPS:
        try:
            room = int(Path(limit).read_text(encoding="ascii")) - int(Path(used).read_text(encoding="ascii"))
        except (OSError, ValueError):
            continue
        return max(room, 0)
    return None
