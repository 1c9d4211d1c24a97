"""What may be put in place of a function that is missing elsewhere: our own table, with a reason a row."""

from __future__ import annotations

import csv
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

from isoflop.portability.names import canonical, family


@cache
def table() -> tuple[tuple[str, str, str, str], ...]:
    """Return rows of function, pattern of targets, replacement, reason."""
    text = resources.files("isoflop.portability.scan").joinpath("replacements.csv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines())
    return tuple((row["function"], row["targets"], row["replacement"], row["reason"]) for row in rows)


@cache
def replacement_for(function: str, target: str) -> str:
    """Return what the table offers for a function on a target, with the reason; empty for nothing.

    Examples
    --------
    >>> replacement_for("torch.Tensor.cuda", "torch:xpu").startswith("x.to(device)")
    True
    """
    wanted = {canonical(function), family(function)}
    for name, targets, replacement, reason in table():
        if (name in wanted or family(name) in wanted) and (not target or fnmatchcase(target, targets)):
            return f"{replacement}: {reason}"
    return ""
