"""Who may ask: token, Host, Origin and sizes, checked on the head of a request before its body is read."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from isoflop.routing.gateway.config_file import LOOPBACK
from isoflop.routing.gateway.protocol import ProtocolError, shown

Headers = Iterable[tuple[bytes, bytes]]
MAX_HEADER_BYTES: Final = 32 * 1024
_FRAMING: Final = 4
"""Colon, space and line end of a header."""


@dataclass(frozen=True, slots=True)
class Head:
    """The headers of a request that the gateway itself reads."""

    length: int | None
    session: bytes | None


class Guard:
    """Checks that need no body.

    Parameters
    ----------
    token : str, optional
        What clients must send as ``Authorization: Bearer …``.
    hosts : iterable of str, optional
        Host names accepted; None accepts any, which only suits an address that others reach by name and
        that asks for a token.
    max_body_bytes : int
    """

    def __init__(
        self, *, token: str | None = None, hosts: Iterable[str] | None = None, max_body_bytes: int
    ) -> None:
        self._expected = f"Bearer {token}".encode() if token else None
        self._hosts = None if hosts is None else frozenset(host.lower().encode() for host in hosts)
        self._max_body_bytes = max_body_bytes

    def read(self, headers: Headers, *, is_open: bool = False) -> Head:
        """Check the headers of a request.

        Parameters
        ----------
        headers : iterable of (bytes, bytes)
            Names in lower case.
        is_open : bool
            The endpoint needs no token.

        Raises
        ------
        ProtocolError
            400, 401, 403, 413, 415 or 431.
        """
        size, host, length, session, sent, encoding = 0, b"", None, None, b"", b""
        for name, value in headers:
            size += len(name) + len(value) + _FRAMING
            if name == b"host":
                host = value
            elif name == b"content-length":
                length = value
            elif name == b"authorization":
                sent = value
            elif name == b"origin":
                self._check_origin(value)
            elif name == b"x-isoflop-session":
                session = value[:256]
            elif name == b"content-encoding":
                encoding = value.strip().lower()
            elif name == b"upgrade":
                # The parser takes what follows the head for another protocol: the body is lost.
                raise ProtocolError(
                    400,
                    f"Upgrade: {shown(value.decode('latin-1'))}, is not served. Speak HTTP/1.1 without an "
                    "Upgrade header (a setting of your HTTP client).",
                    code="upgrade_not_supported",
                )
        if size > MAX_HEADER_BYTES:
            raise ProtocolError(
                431,
                f"headers: {size} bytes, at most {MAX_HEADER_BYTES}. Send less.",
                code="headers_too_large",
            )
        if self._hosts is not None and host_name(host) not in self._hosts:
            raise ProtocolError(
                403,
                f"Host: {shown(host.decode('latin-1'))}, is not served. Use the address it listens on or "
                "add the name to allowed_hosts.",
                code="host_not_allowed",
            )
        if self._expected is not None and not is_open and not hmac.compare_digest(sent, self._expected):
            raise ProtocolError(
                401,
                "Authorization: missing or wrong token. Send it as Authorization: Bearer TOKEN.",
                code="invalid_token",
            )
        if encoding not in (b"", b"identity"):
            raise ProtocolError(
                415,
                f"content-encoding: {shown(encoding.decode('latin-1'))}, bodies must come plain. "
                "Send them uncompressed.",
                code="unsupported_encoding",
            )
        return Head(self._length(length), session)

    def too_large(self, size: int) -> ProtocolError:
        """Return the refusal of a body of at least `size` bytes."""
        return ProtocolError(
            413,
            f"body: {size} bytes or more, at most {self._max_body_bytes}. Send less or raise max_body_bytes.",
            code="body_too_large",
        )

    def _length(self, value: bytes | None) -> int | None:
        if value is None:
            return None
        if not value.isdigit():
            raise ProtocolError(400, "content-length: no number. Correct it.", code="invalid_header")
        if int(value) > self._max_body_bytes:
            raise self.too_large(int(value))
        return int(value)

    def _check_origin(self, value: bytes) -> None:
        # A page of any site may post to the loopback of its reader; the browser names that site here.
        _scheme, _, rest = value.partition(b"://")
        if host_name(rest) not in (self._hosts or frozenset()):
            raise ProtocolError(
                403,
                f"Origin: {shown(value.decode('latin-1'))}, pages of other sites are not served.",
                code="origin_not_allowed",
            )


def host_name(value: bytes) -> bytes:
    """Return the name in a Host header, without its port.

    Examples
    --------
    >>> host_name(b"localhost:8040"), host_name(b"[::1]:80"), host_name(b"")
    (b'localhost', b'::1', b'')
    """
    if value.startswith(b"["):
        return value[1:].partition(b"]")[0].lower()
    return value.partition(b":")[0].lower().rstrip(b".")


def accepted_hosts(host: str, allowed: Iterable[str]) -> frozenset[str] | None:
    """Return the Host names that a gateway at `host` accepts.

    Parameters
    ----------
    host : str
        Address it listens on.
    allowed : iterable of str
        Names of the configuration.

    Returns
    -------
    frozenset of str or None
        None (any) on an address beyond the loopback for which no names were given.
    """
    names = frozenset(allowed)
    if host in LOOPBACK:
        return names | LOOPBACK
    return names | {host} if names else None
