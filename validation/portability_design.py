"""Make tests/golden/portability_design.json with R's survey package.

Run from the project's root: ``python -m validation.portability_design``. It needs R with the packages survey
and jsonlite (Debian: r-cran-survey, r-cran-jsonlite). Tests read the stored numbers only.
"""

from __future__ import annotations

import datetime as dt
import json
import subprocess
from pathlib import Path

from isoflop.findings import write_atomically

SCRIPT = Path(__file__).with_suffix(".R")
OUT = Path(__file__).resolve().parents[1] / "tests" / "golden" / "portability_design.json"


def main() -> None:
    """Run the script and write its numbers under a header."""
    ran = subprocess.run(["Rscript", "--vanilla", str(SCRIPT)], capture_output=True, text=True, check=True)
    numbers = json.loads(ran.stdout)
    versions = numbers.pop("versions")
    golden = {
        "tool": f"survey {versions['survey']}",
        "language": versions["R"],
        "call": "python -m validation.portability_design (Rscript --vanilla validation/portability_design.R)",
        "date": dt.date.today().isoformat(),
        **numbers,
    }
    write_atomically(OUT, json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
