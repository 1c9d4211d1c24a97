"""The start of an error's text, without what tells of this computer."""

from __future__ import annotations

import re

from isoflop.portability.model import ERROR_HEAD

PATH, ADDRESS = "<path>", "<address>"
_PATHS = re.compile(r"(?:[A-Za-z]:)?(?:[/\\][\w.@+~-]+){2,}[/\\]?|~[/\\][\w.@+~/\\-]+")
_ADDRESSES = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")
_BLANKS = re.compile(r"\s+")


def error_head(error: BaseException | str) -> str:
    """Return at most 240 characters of an error's text; paths and addresses are replaced by a marker.

    Examples
    --------
    >>> error_head("cannot open /home/someone/data.bin at 0x7f00deadbeef")
    'cannot open <path> at <address>'
    """
    text = str(error)[: 20 * ERROR_HEAD]
    text = _ADDRESSES.sub(ADDRESS, _PATHS.sub(PATH, text))
    return _BLANKS.sub(" ", text).strip()[:ERROR_HEAD]


def error_type(error: BaseException) -> str:
    """Return the class of an exception, with its module where that is not Python's own.

    Examples
    --------
    >>> error_type(ValueError("x"))
    'ValueError'
    """
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("CUDA out of memory."))
    (True, True)
    """
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return any(
        word in text for word in ("out of memory", "can't allocate memory", "resource_exhausted", "bad_alloc")
    )
