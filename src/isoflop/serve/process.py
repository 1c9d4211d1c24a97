"""The process of a job: started in a group of its own, measured, and ended as a group."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from isoflop.serve.job import PRINTED, PROGRESS, REMARKS

GRACE_S: Final = 3.0
"""Time that a job has to end by itself before it is killed."""
THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")


def start(words: Sequence[str], folder: Path, *, nice: int, threads: int) -> subprocess.Popen[bytes]:
    """Start ``isoflop WORD…`` in a folder, as the leader of a group of processes.

    Parameters
    ----------
    words : sequence of str
    folder : Path
        Working folder; output and remarks go to files there.
    nice : int
        Added to the nice level.
    threads : int
        Threads for numerical libraries, unless the environment says otherwise.
    """
    environment = {
        **dict.fromkeys(THREADS, str(threads)),
        **os.environ,
        "ISOFLOP_PROGRESS": str(folder / PROGRESS),
        # The working folder holds what a user uploaded; none of it may be imported.
        "PYTHONSAFEPATH": "1",
        "NO_COLOR": "1",
    }
    command = [sys.executable, "-P", "-m", "isoflop.serve.child", str(nice), str(os.getpid()), *words]
    with (folder / PRINTED).open("wb") as printed, (folder / REMARKS).open("wb") as remarks:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=remarks,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a job's whole group: asked first, killed where it does not listen."""
    _signal(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    # Processes that the job started may outlive their leader, and a leader may not listen.
    _signal(process.pid, signal.SIGKILL)
    process.wait()


def memory(group: int) -> int:
    """Return the resident memory of a group of processes in bytes; 0 where it cannot be told."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pgid=,rss="], capture_output=True, text=True, check=False, timeout=10.0
    )
    pairs = [line.split() for line in listed.stdout.splitlines()]
    return 1024 * sum(int(rss) for pgid, rss in pairs if int(pgid) == group)


def _signal(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # it has ended
    except PermissionError:
        return  # macOS says so of a group whose processes have all ended
