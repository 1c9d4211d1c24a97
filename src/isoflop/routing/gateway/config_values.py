"""Values of a configuration as TOML gives them: each is read or refused in the project's pattern."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from isoflop.errors import SettingError, closest
from isoflop.routing.gateway.protocol import MODEL_NAME

Read = Callable[[Any, str], Any]
"""Takes what was written and where; returns the setting or raises SettingError."""

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*\Z")
_HEADER = re.compile(r"[a-z0-9-]+\Z")


def refuse(where: str, got: Any, need: str, cure: str) -> SettingError:
    """Return the error for a value of another kind, without showing text, which may be a secret."""
    shown = repr(got) if isinstance(got, (bool, int, float)) else type(got).__name__
    return SettingError(f"{where}: {shown}, must be {need}. {cure}")


def text(value: Any, where: str) -> str:
    """Return one line of text."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise refuse(where, value, "one line of text", "Put it in quotes.")
    return value


def name(value: Any, where: str) -> str:
    """Return a name that may stand in a header."""
    if not isinstance(value, str) or not MODEL_NAME.match(value):
        raise SettingError(
            f"{where}: {str(value)[:60]!r}, must be at most 200 letters, digits, . _ : / @ + = -. Rename it."
        )
    return value


def variable(value: Any, where: str) -> str:
    """Return the name of an environment variable."""
    # What was written may be the secret itself, so it is never shown.
    if not isinstance(value, str) or not _VARIABLE.match(value):
        raise SettingError(
            f"{where}: not the name of an environment variable. Write the name in capitals, "
            "MY_PROVIDER_KEY say, and put the key in that variable."
        )
    return value


def flag(value: Any, where: str) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise refuse(where, value, "true or false", "Write it without quotes.")
    return value


def whole(low: int, high: int) -> Read:
    """Return a reader of whole numbers in a range."""

    def read(value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise refuse(where, value, f"a whole number in [{low}, {high}]", f"Write {low}, say.")
        return value

    return read


def number(low: float, high: float = 1e9, *, open_below: bool = False) -> Read:
    """Return a reader of numbers in a range."""

    def read(value: Any, where: str) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high or (open_below and value <= low):
            edge = "(" if open_below else "["
            raise refuse(where, value, f"a number in {edge}{low:g}, {high:g}]", "Write it without quotes.")
        return float(value)

    return read


def word(choices: tuple[str, ...]) -> Read:
    """Return a reader of one of a few words."""

    def read(value: Any, where: str) -> str:
        if value not in choices:
            near = closest(value, choices) if isinstance(value, str) else None
            hint = f"Did you mean {near!r}?" if near else f"Write {choices[0]!r}, say."
            raise SettingError(f"{where}: {value!r}, must be one of {', '.join(choices)}. {hint}")
        return str(value)

    return read


def many(read: Read, form: Callable[[Any], Any]) -> Read:
    """Return a reader of lists."""

    def read_all(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise refuse(where, value, "a list", 'Write ["one", "two"].')
        return form(read(one, f"{where}[{index}]") for index, one in enumerate(value))

    return read_all


def header(value: Any, where: str) -> str:
    """Return the name of a header in lower case."""
    written = text(value, where).lower()
    if not _HEADER.match(written):
        raise SettingError(
            f"{where}: {written!r}, must be the name of a header. Write authorization or api-key."
        )
    return written


def url(value: Any, where: str) -> str:
    """Return an address of an upstream, without the last slash."""
    written = text(value, where)
    parts = urlsplit(written)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingError(f"{where}: {written!r}, must be an http or https address. Write https://HOST/v1.")
    if parts.username is not None or parts.password is not None:
        raise SettingError(f"{where}: holds a user or password. Put the key in api_key_env.")
    if parts.query or parts.fragment:
        raise SettingError(f"{where}: {written!r}, must have no query. End it with the path, /v1 say.")
    return written.rstrip("/")
