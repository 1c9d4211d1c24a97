"""What went wrong: the class of an error, and the start of its text without what tells of this computer."""

from __future__ import annotations

import re
from functools import cache

from isoflop.portability.model import ERROR_HEAD, Status

PATH, ADDRESS, NUMBER, HOST = "<path>", "<address>", "<id>", "<host>"
_QUOTED_PATHS = re.compile(
    r"""(?P<quote>["'])(?:[A-Za-z]:)?(?:[/\\]|~[/\\])[^"'\n]*[/\\][^"'\n]*(?P=quote)"""
)
_PATHS = re.compile(r"(?:file:/+)?(?:\b[A-Za-z]:|~)?(?:[/\\]+[\w.@+~=-]+){2,}[/\\]?|~[/\\][\w.@+~/\\-]+")
_ADDRESSES = re.compile(
    r"\b0x[0-9a-fA-F]{6,}\b|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\b[\w.-]+@[\w-]+(?:\.[\w-]+)*"
)
_NUMBERS = re.compile(r"\b\d{12,}\b")
"""Numbers as long as those by which Python tells objects apart."""
_BLANKS = re.compile(r"\s+")
_READ = 20 * ERROR_HEAD
"""Characters looked at: a message may hold a whole module."""
_OUT_OF_MEMORY = (
    "out of memory", "can't allocate memory", "cannot allocate memory", "resource_exhausted", "bad_alloc",
    "failed to allocate", "unable to allocate",
)  # fmt: skip
_SKIPS = frozenset({"SkipTest", "Skipped"})


def error_head(error: BaseException | str) -> str:
    """Return at most 240 characters of an error's text; what tells of this computer is replaced by a marker.

    Paths, addresses of memory and of networks, numbers of objects, and the computer's name are removed.
    The markers themselves are left alone, so that a cleaned text stays as it is.

    Examples
    --------
    >>> error_head("cannot open /data/someone/data.bin at 0x7f00deadbeef")
    'cannot open <path> at <address>'
    """
    text = _text(error)[:_READ]
    text = _QUOTED_PATHS.sub(PATH, text)
    text = _PATHS.sub(PATH, text)
    text = _ADDRESSES.sub(ADDRESS, text)
    text = _NUMBERS.sub(NUMBER, text)
    for name in _own_names():
        text = re.sub(rf"\b{re.escape(name)}\b", HOST, text)
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


def status_of(error: BaseException, otherwise: Status) -> Status:
    """Return the status that an error stands for, `otherwise` where it says nothing special.

    Memory that runs out counts where the target was at work; elsewhere it is the inputs' fault.

    Examples
    --------
    >>> status_of(MemoryError(), "error"), status_of(ValueError("bad shape"), "input_error")
    ('oom', 'input_error')
    """
    if otherwise == "error" and is_out_of_memory(error):
        return "oom"
    return "skipped" if type(error).__name__ in _SKIPS else otherwise


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory ran out.

    Examples
    --------
    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("CUDA out of memory."))
    (True, True)
    """
    if isinstance(error, MemoryError):
        return True
    text = _text(error)[:_READ].lower()
    return any(words in text for words in _OUT_OF_MEMORY)


def _text(error: BaseException | str) -> str:
    try:
        return str(error)
    except Exception:
        # A message may itself need what failed, such as a value that is not there.
        return f"<no text: {type(error).__name__}>"


@cache
def _own_names() -> tuple[str, ...]:
    """Return this computer's name where it is long enough to be no common word."""
    import platform

    name = platform.node()
    parts = dict.fromkeys((name, name.partition(".")[0]))
    return tuple(
        part for part in parts if len(part) >= 5 and part.lower() not in ("localhost", "ubuntu", "debian")
    )
