"""Items of a JSON array in a file of any size, one at a time.

HELM writes a run's statistics as one array of several gigabytes; reading it whole would need many times that.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from isoflop.errors import EvidenceError

CHUNK = 1 << 20
LARGEST = 1 << 26
"""Characters of one item; beyond this the file is broken rather than the item long."""
_BLANK = " \t\r\n"


def array_items(path: Path, key: str | None = None, *, chunk: int = CHUNK) -> Iterator[Any]:
    """Yield the items of the array that a file holds, or that its top-level object holds under `key`.

    Parameters
    ----------
    path : Path
    key : str, optional
        Name of the array within the top-level object.
    chunk : int
        Bytes read at a time.

    Raises
    ------
    EvidenceError
        The file is no such JSON, not UTF-8, or cut off; the message says after how many items.
    """
    with path.open("rb") as file:
        text = _Text(file, path.name, chunk)
        if key is None:
            text.expect("[")
        else:
            _enter(text, key)
        yield from _items(text)


def _items(text: _Text) -> Iterator[Any]:
    """Yield the items up to the end of the array."""
    count = 0
    if text.peek() == "]":
        return
    while True:
        yield text.value(count)
        count += 1
        sign = text.peek()
        if sign not in (",", "]"):
            raise EvidenceError(text.cut(count))
        text.skip()
        if sign == "]":
            return


def _enter(text: _Text, key: str) -> None:
    """Move to the first item of the array under `key`, passing over the other values."""
    text.expect("{")
    seen: list[str] = []
    while text.peek() != "}":
        name = text.value(len(seen))
        seen.append(str(name))
        text.expect(":")
        if name == key:
            text.expect("[")
            return
        text.value(len(seen))
        if text.peek() == ",":
            text.skip()
    raise EvidenceError(
        f"load: {text.name} has no {key!r}, which this layout needs; it has {', '.join(seen) or 'nothing'}. "
        "Is it the right file?"
    )


class _Text:
    """A window on the text of a file that grows until it holds a whole value."""

    def __init__(self, file: BinaryIO, name: str, chunk: int) -> None:
        self.name = name
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._parse = json.JSONDecoder().raw_decode
        self._chunk = chunk
        self._window, self._at = "", 0

    def peek(self) -> str:
        """Return the next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._window) and self._window[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._more():
                return ""

    def skip(self) -> None:
        """Pass over one character."""
        self._at += 1

    def expect(self, sign: str) -> None:
        """Pass over a sign that must come next."""
        if self.peek() != sign:
            raise EvidenceError(
                f"load: {self.name}: {self.peek() or 'the end'!r} where {sign!r} is needed. Is it the "
                "right file?"
            )
        self.skip()

    def value(self, count: int) -> Any:
        """Return the next value whole; `count` items came before it."""
        if not self.peek():
            raise EvidenceError(self.cut(count))
        while True:
            try:
                value, end = self._parse(self._window, self._at)
            except json.JSONDecodeError as error:
                # A value that ends in the window is wrong; one that runs to its end may be unfinished.
                if len(self._window) - self._at > LARGEST or not self._more():
                    raise EvidenceError(self.cut(count)) from error
                continue
            except RecursionError:
                raise EvidenceError(f"load: {self.name} is nested too deeply to be read.") from None
            # A number at the very end of the window may go on in the next piece.
            if end == len(self._window) and self._more():
                continue
            self._at = end
            return value

    def cut(self, count: int) -> str:
        """Return the message about a file that ends or breaks after some items."""
        return (
            f"load: {self.name} is no whole JSON: it breaks after {count} items. The file is probably cut "
            "off: fetch or write it again."
        )

    def _more(self) -> bool:
        """Read on; half of the window is kept at most twice, so that reading stays linear."""
        data = self._file.read(max(self._chunk, len(self._window) - self._at))
        try:
            text = self._decode.decode(data, final=not data)
        except UnicodeDecodeError as error:
            raise EvidenceError(
                f"load: {self.name} is not UTF-8 ({error.reason}). Save it as UTF-8."
            ) from error
        if not data:
            return False
        self._window, self._at = self._window[self._at :] + text, 0
        return True
