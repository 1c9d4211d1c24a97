"""What a client is told when its request is not served: the error object of the OpenAI protocol.

``{"error": {"message": …, "type": …, "param": …, "code": …}}``. No message repeats text of a prompt, a key
or a token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from isoflop.errors import IsoflopError

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+=-]{0,199}\Z")
"""Names of models, policies and providers: nothing that could end a header or a log line."""

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    408: "timeout_error",
    411: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
    429: "rate_limit_error",
    431: "invalid_request_error",
}


class ProtocolError(IsoflopError):
    """A request that the gateway answers itself, with a status and an error object.

    Parameters
    ----------
    status : int
        HTTP status, 400 to 599.
    message : str
        In the project's pattern; contains no text of a prompt.
    code : str
        What a program can tell apart, ``model_not_found`` say.
    param : str, optional
        Field of the request that is wrong.
    kind : str, optional
        ``type`` of the error object; default: what the protocol gives to that status.
    retry_after_s : int, optional
        Sent as ``retry-after``.

    Examples
    --------
    >>> error = ProtocolError(404, "model: 'x' is not configured.", code="model_not_found", param="model")
    >>> error.body()[:39]
    b'{"error":{"message":"model: \\'x\\' is not '
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str,
        param: str | None = None,
        kind: str | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.kind = kind or _TYPES.get(status, "api_error")
        self.retry_after_s = retry_after_s

    def body(self) -> bytes:
        """Return the error object as JSON."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return json.dumps({"error": error}, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "replace"
        )

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers of the answer, without its length."""
        found = [(b"content-type", b"application/json")]
        if self.retry_after_s is not None:
            found.append((b"retry-after", str(self.retry_after_s).encode()))
        elif self.status == 429:
            # The official clients try a 429 again at once unless they are told that it is in vain.
            found.append((b"x-should-retry", b"false"))
        return found


def unavailable(
    message: str, causes: Mapping[str, str] | Sequence[tuple[str, str]], *, status: int = 503
) -> ProtocolError:
    """Return the error for a request that no model can take or that every model failed.

    Parameters
    ----------
    message : str
    causes : mapping or pairs
        Model to what kept it from answering; each is named.
    status : int
        503 where waiting may help, 400 where it cannot, 502 or 504 after failed attempts.
    """
    pairs = list(causes.items() if isinstance(causes, Mapping) else causes)
    listed = "; ".join(f"{model}: {cause}" for model, cause in pairs)
    return ProtocolError(
        status, f"{message} {listed}." if listed else message, code="no_model_available", param="model"
    )


def shown(name: object, limit: int = 60) -> str:
    """Return a name that a client sent in a form fit for a message: short, printable, quoted.

    Examples
    --------
    >>> shown("gpt\\r\\nx-evil: 1")
    "'gpt??x-evil: 1'"
    """
    text = name if isinstance(name, str) else type(name).__name__
    clean = "".join(ch if ch.isprintable() else "?" for ch in text[:limit])
    return f"'{clean}{'…' if len(text) > limit else ''}'"
