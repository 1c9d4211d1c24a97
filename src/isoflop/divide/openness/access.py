"""Whether a system's weights are open, read from the words of its table."""

from __future__ import annotations

from typing import Literal

Access = Literal["open", "closed", "unknown"]

OPEN = ("open weights", "open-weights", "open source", "open-source", "permissive license")
"""Weights that anyone may load, whatever the licence; the last two are words of the older layout."""
CLOSED = ("closed", "unreleased", "api", "hosted access")


def access_of(text: str | None) -> Access:
    """Return whether weights are open; a blank or a word of neither kind is unknown, never closed.

    Examples
    --------
    >>> access_of("Open weights (non-commercial)"), access_of("Hosted access (no API)"), access_of("")
    ('open', 'closed', 'unknown')
    """
    said = (text or "").strip().lower()
    if any(word in said for word in OPEN):
        return "open"
    return "closed" if any(said.startswith(word) for word in CLOSED) else "unknown"
