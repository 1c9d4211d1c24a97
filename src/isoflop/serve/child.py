"""What a job's process runs: the command line of isoflop, with manners.

``python -m isoflop.serve.child NICE PARENT WORD…`` lowers its own priority and ends itself with everything
it started when the server is gone, however that ended.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Sequence

LOOK_S = 1.0
"""How often a job looks whether its server still lives."""


def main(arguments: Sequence[str]) -> None:
    """Run a command line below the named nice level; see the module."""
    nice, parent, *words = arguments
    os.nice(int(nice))
    threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()
    # What `python -m isoflop` runs: this package stands below the command line and does not import it.
    sys.argv = ["isoflop", *words]
    runpy.run_module("isoflop", run_name="__main__", alter_sys=True)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    # The server made this process the leader of its group, so nothing else is hit.
    os.killpg(os.getpgid(0), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
