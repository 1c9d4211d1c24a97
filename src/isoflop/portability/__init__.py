"""What still runs elsewhere, and how slowly?

Evidence first, settings after: ``shares(read_paper("portability"))``. Each verb is imported when it is first
used; no framework is imported here, ever: that happens in child processes.
"""

from __future__ import annotations

from isoflop.lazy import offer

_HOME: dict[str, str] = {}

__all__: list[str] = []

offer(__name__, _HOME)
