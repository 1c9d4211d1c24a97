"""``python -m isoflop`` is the ``isoflop`` command."""

import sys

from isoflop.cli import main

if __name__ == "__main__":
    sys.exit(main())
