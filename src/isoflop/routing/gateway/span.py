"""Put another model's name into a request without touching any other byte of it.

Parsing and writing JSON again would change large integers, spellings of numbers, escapes, duplicate keys and
white space. So only the bytes of the value of ``model`` are replaced, at the top level and nowhere else.
"""

from __future__ import annotations

import json
import re
from typing import Final

from isoflop.routing.gateway.protocol import ProtocolError

_KEY: Final = b'"model"'
_BOM: Final = b"\xef\xbb\xbf"
_STRING: Final = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKEN: Final = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_VALUE: Final = re.compile(rb"[ \t\r\n]*:[ \t\r\n]*(" + _STRING + rb")?", re.DOTALL)
_ESCAPED_LETTER: Final = re.compile(rb"\\u00(?:6[cdfCDF45])")
"""Any letter of ``model`` spelled as an escape: only then may a key be that word in other bytes."""


def replace_model(raw: bytes, new: str) -> bytes:
    """Return a JSON object with the value of its own ``model`` replaced.

    Parameters
    ----------
    raw : bytes
        A valid JSON object in UTF-8, with or without byte order mark.
    new : str
        The name to put there.

    Returns
    -------
    bytes
        `raw`, but for the bytes of that value. If the key occurs more than once, which parsers resolve
        differently, each of its values is replaced: no upstream reads a name that was not chosen.

    Raises
    ------
    ProtocolError
        400: no ``model`` at the top level, or one that is no text.

    Examples
    --------
    >>> replace_model(b'{"n": 1.0e+2, "x": {"model": 1}, "model" : "auto"}', "small")
    b'{"n": 1.0e+2, "x": {"model": 1}, "model" : "small"}'
    """
    value = json.dumps(new).encode()
    parts, end = [], 0
    for start, stop in model_spans(raw):
        parts += [raw[end:start], value]
        end = stop
    return b"".join([*parts, raw[end:]])


def model_spans(raw: bytes) -> list[tuple[int, int]]:
    """Return where the values of the top-level ``model`` begin and end, quotes included.

    Raises
    ------
    ProtocolError
        400: there is none, or one is no text.

    Examples
    --------
    >>> model_spans(b'{"model": "auto"}')
    [(10, 16)]
    """
    at = raw.find(_KEY)
    is_only = at >= 0 and raw.find(_KEY, at + 1) < 0 and _ESCAPED_LETTER.search(raw) is None
    # A single occurrence must be the key itself if the object has that key: no walk is needed.
    spans = [_value_span(raw, at + len(_KEY))] if is_only and _has_model(raw) else _walk(raw)
    if not spans:
        raise ProtocolError(
            400, 'body: no model, needs one. Add "model": "auto".', code="model_required", param="model"
        )
    return spans


def _has_model(raw: bytes) -> bool:
    import orjson

    try:
        found = orjson.loads(raw.removeprefix(_BOM))
    except orjson.JSONDecodeError:
        return False
    return isinstance(found, dict) and "model" in found


def _walk(raw: bytes) -> list[tuple[int, int]]:
    depth, spans = 0, []
    for token in _TOKEN.finditer(raw):
        first = raw[token.start()]
        if first in b"{[":
            depth += 1
        elif first in b"}]":
            depth -= 1
        elif depth == 1 and _is_model(token[0]) and _VALUE.match(raw, token.end()):
            spans.append(_value_span(raw, token.end()))
    return spans


def _is_model(key: bytes) -> bool:
    # Six bytes at most spell a letter; longer texts need not be decoded.
    return key == _KEY or (b"\\" in key and len(key) <= 32 and json.loads(key) == "model")


def _value_span(raw: bytes, after_key: int) -> tuple[int, int]:
    found = _VALUE.match(raw, after_key)
    if found is None or found[1] is None:
        raise ProtocolError(
            400,
            'body: model is no text, needs one. Send "model": "auto".',
            code="model_not_text",
            param="model",
        )
    return found.span(1)
