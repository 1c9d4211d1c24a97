"""``python -m validation.robotics_study``: measure what is missing, then write the table."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    # One thread: matrices this small run slower on several, and CPU seconds mean the same everywhere.
    # The libraries read these when NumPy is first imported, which `run` does.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    from validation.robotics_study.run import main

    sys.exit(main())
