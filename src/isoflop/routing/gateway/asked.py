"""What a request asks for: the model, the text to route on, and the abilities its model needs.

Bodies are only read here. They are never written again from what was read, so unknown fields, spellings of
numbers and the order of keys stay with the original bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from isoflop.routing.gateway.protocol import ProtocolError

MAX_DEPTH: Final = 64
"""Levels of nested JSON accepted."""
_BYTES_PER_TOKEN: Final = 4
_TOKENS_PER_IMAGE: Final = 1_000
"""Images are billed by their size in tokens that nobody tells beforehand; this is a large one."""
_BOM: Final = b"\xef\xbb\xbf"
_LARGEST: Final = 10**9
"""Counts are cut to it: no model writes more, and larger whole numbers do not fit a float."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request, as far as choosing a model needs it.

    Parameters
    ----------
    model : str
        As the client wrote it.
    text : str
        What is routed on; empty where there is none.
    opening : str
        System prompt and first message of the user: what makes a conversation known again.
    is_continued : bool
        An answer of a model is already part of it.
    tools_pending : bool
        The last message answers a tool call, or awaits such an answer.
    needs : frozenset of str
        Abilities out of ``tools``, ``vision``, ``json``.
    tokens_in : int
        Estimate, a token for four bytes of UTF-8.
    max_tokens : int or None
        Bound on the answer that the client set.
    choices : int
        Answers asked for.
    """

    model: str
    text: str = ""
    opening: str = ""
    is_continued: bool = False
    tools_pending: bool = False
    needs: frozenset[str] = frozenset()
    tokens_in: int = 0
    max_tokens: int | None = None
    choices: int = 1


def parse(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body.

    Raises
    ------
    ProtocolError
        No JSON, no object, or nested more than `MAX_DEPTH` deep.
    """
    import orjson

    raw = body[3:] if body.startswith(_BOM) else body
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = _lenient(raw)
    if not isinstance(found, dict):
        raise ProtocolError(400, "body: no JSON object, needs one. Send {…}.", code="invalid_json")
    # As many brackets are needed as there are levels: most bodies need no walk.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        _check_depth(found)
    return found


def _lenient(raw: bytes) -> Any:
    # Lone surrogates and NaN: refused by the fast parser, accepted by some servers, so it is theirs to say.
    try:
        return json.loads(raw)
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, UnicodeDecodeError):
        raise ProtocolError(
            400, "body: not valid JSON in UTF-8. Check quotes, commas and encoding.", code="invalid_json"
        ) from None


def _too_deep() -> ProtocolError:
    return ProtocolError(
        400, f"body: nested deeper than {MAX_DEPTH} levels. Flatten it.", code="json_too_deep"
    )


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise _too_deep()


def model_of(fields: Mapping[str, Any]) -> str:
    """Return the model that a request names.

    Raises
    ------
    ProtocolError
        None is named, or it is no text.
    """
    model = fields.get("model")
    if not isinstance(model, str) or not model:
        raise ProtocolError(
            400,
            "model: missing or no text. Send 'auto' or a name listed by GET /v1/models.",
            code="model_required",
            param="model",
        )
    return model


def read_chat(fields: Mapping[str, Any], *, system_prompt: bool, max_chars: int) -> Asked:
    """Read a chat request.

    Parameters
    ----------
    fields : mapping
        From `parse`.
    system_prompt : bool
        Put the system prompt before the text that is routed on.
    max_chars : int
        A longer text is cut to its head (two thirds) and tail.

    Raises
    ------
    ProtocolError
        `messages` is missing or malformed.
    """
    messages = fields.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        raise ProtocolError(
            400,
            "messages: missing, empty or no list of objects. Send [{'role': 'user', 'content': …}].",
            code="invalid_messages",
            param="messages",
        )
    users = [message for message in messages if message.get("role") == "user"]
    systems = [message for message in messages if message.get("role") in ("system", "developer")]
    system = "\n".join(part for message in systems for part in _texts(message.get("content")))
    text = "\n".join(_texts(users[-1].get("content"))) if users else ""
    if system_prompt and system and text:
        text = f"{system}\n{text}"
    first = "\n".join(_texts(users[0].get("content"))) if users else ""
    last = messages[-1]
    return Asked(
        model=model_of(fields),
        text=cut(text, max_chars),
        opening=f"{system}\0{first}",
        is_continued=any(message.get("role") in ("assistant", "tool", "function") for message in messages),
        tools_pending=last.get("role") in ("tool", "function") or bool(last.get("tool_calls")),
        needs=_needs(fields, messages),
        tokens_in=_tokens(fields, messages),
        max_tokens=_count(fields.get("max_completion_tokens")) or _count(fields.get("max_tokens")),
        choices=_count(fields.get("n")) or 1,
    )


def read_prompt(fields: Mapping[str, Any], key: str, *, max_chars: int) -> Asked:
    """Read a request without messages: ``prompt`` of completions, ``input`` of embeddings."""
    given = fields.get(key)
    texts = [given] if isinstance(given, str) else [one for one in _sequence(given) if isinstance(one, str)]
    numbers = sum(
        len(one) if isinstance(one, list) else 1 for one in _sequence(given) if not isinstance(one, str)
    )
    return Asked(
        model=model_of(fields),
        text=cut("\n".join(texts), max_chars),
        tokens_in=sum(_text_tokens(text) for text in texts) + numbers,
        max_tokens=_count(fields.get("max_tokens")),
        choices=_count(fields.get("n")) or 1,
    )


def cut(text: str, max_chars: int) -> str:
    """Return a text of at most `max_chars`: all of it, or its head and tail.

    Examples
    --------
    >>> cut("abcdefghi", 6)
    'abcdhi'
    """
    if len(text) <= max_chars:
        return text
    head = max_chars * 2 // 3
    return text[:head] + text[len(text) - (max_chars - head) :]


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in _sequence(content):
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            yield part["text"]


def _images(messages: Sequence[Mapping[str, Any]]) -> int:
    parts = (part for message in messages for part in _sequence(message.get("content")))
    return sum(isinstance(part, dict) and part.get("type") in ("image_url", "input_image") for part in parts)


def _needs(fields: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    needs = set()
    if fields.get("tools") or fields.get("functions") or any(m.get("tool_calls") for m in messages):
        needs.add("tools")
    if _images(messages):
        needs.add("vision")
    form = fields.get("response_format")
    if isinstance(form, dict) and form.get("type") in ("json_object", "json_schema"):
        needs.add("json")
    return frozenset(needs)


def _tokens(fields: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> int:
    found = sum(_text_tokens(part) for message in messages for part in _texts(message.get("content")))
    # Four tokens frame a message in the templates that are published.
    found += 4 * len(messages) + _TOKENS_PER_IMAGE * _images(messages)
    extra = fields.get("tools") or fields.get("functions")
    return found + (_text_tokens(json.dumps(extra)) if extra else 0)


def _text_tokens(text: str) -> int:
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    return -(-size // _BYTES_PER_TOKEN)


def _count(value: Any) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return min(value, _LARGEST) if is_count else None
