"""What may go wrong, as a flat list.

Every message follows one pattern: **where: what came, what is needed. What to do.**
The command line prints the message and exits with 2; nothing shows a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class IsoflopError(Exception):
    """Root of every error that isoflop raises on purpose."""


class EvidenceError(IsoflopError, ValueError):
    """A table, row or value cannot be used as evidence."""


class SettingError(IsoflopError, ValueError):
    """A setting lies outside its range or is unknown."""


class NoFitError(IsoflopError, RuntimeError):
    """No certified minimum was found, so there is no fit to report."""


class NotIdentifiedError(IsoflopError, ValueError):
    """The question has no answer on this evidence or under this law."""


class SourceError(IsoflopError, OSError):
    """A public source could not be fetched, verified or stored."""


class MissingExtraError(IsoflopError, ImportError):
    """An optional dependency is needed and not installed."""


def closest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice spelled most like `name`, or None if none is near.

    Case and separators are ignored.

    Examples
    --------
    >>> closest("flops", ["train_flop", "parameters"])
    'train_flop'
    >>> closest("zzz", ["train_flop", "parameters"]) is None
    True
    """
    folded = {_fold(choice): choice for choice in choices}
    wanted = _fold(name)
    near = difflib.get_close_matches(wanted, list(folded), n=1, cutoff=0.6)
    if near:
        return folded[near[0]]
    parts = [key for key in folded if wanted.rstrip("s") in key or key in wanted]
    return folded[min(parts, key=len)] if wanted and parts else None


def _fold(name: str) -> str:
    return "".join(ch for ch in name.lower() if ch.isalnum())
