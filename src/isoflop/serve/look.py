"""The style sheet of the theme's colours, so that pages and pictures look like the report."""

from __future__ import annotations

from functools import cache

from isoflop.present import theme

_NAMED = {"paper": theme.PAPER, "ink": theme.INK, "muted": theme.MUTED}
"""Colours of the page that are also colours of the pictures."""


@cache
def stylesheet() -> str:
    """Return every theme colour as a variable, exchanged where the reader prefers dark pages.

    Examples
    --------
    >>> "--c-1c2126:#1c2126" in stylesheet() and "--paper:#ffffff" in stylesheet()
    True
    """
    light = "".join(f"--c-{c[1:]}:{c};" for c in theme.DARK)
    light += "".join(f"--{name}:{c};" for name, c in _NAMED.items())
    dark = "".join(f"--c-{c[1:]}:{d};" for c, d in theme.DARK.items())
    dark += "".join(f"--{name}:{theme.DARK[c]};" for name, c in _NAMED.items())
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
