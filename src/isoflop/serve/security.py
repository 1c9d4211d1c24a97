"""What may call the application, and what its pages may do.

Four doors, all in front of every route: the name it is called by (a page elsewhere must not reach it by
rebinding its own name to the loopback), where a change comes from, a token in every form, and the size
of a request. Answers carry a policy that lets a page load nothing from elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, MutableMapping
from typing import Any, Final

from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from isoflop.present import formats
from isoflop.serve.settings import MEGABYTE, Settings

COOKIE: Final = "isoflop_session"
FIELD: Final = "csrf"
"""Name of the hidden field that every form carries."""
SAFE: Final = ("GET", "HEAD")
MAX_FIELDS: Final = 1_000
MAX_FILES: Final = 200
_MAX_DRAINED: Final = 20
"""A body up to so many times the limit is read and thrown away, so that a browser shows the answer."""

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


class Doors:
    """The ASGI middleware that keeps the four doors.

    Parameters
    ----------
    app : ASGI application
    settings : Settings
    refuse : callable
        ``(request, status, message) -> response``; draws the page of a refusal.
    """

    def __init__(
        self, app: ASGIApp, *, settings: Settings, refuse: Callable[[Request, int, str], ASGIApp]
    ) -> None:
        self.app = app
        self.settings = settings
        self.refuse = refuse
        self._secret = secrets.token_bytes(32)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not (ASGI)."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope, receive)
        session = request.cookies.get(COOKIE, "")
        is_new = not re.fullmatch(r"[\w-]{43}", session)
        session = secrets.token_urlsafe(32) if is_new else session
        scope.setdefault("state", {})
        scope["state"]["csrf"] = self._token(session)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=message["headers"])
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if is_new:
                    headers.append("set-cookie", f"{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict")
                message["headers"] = headers.raw
            await send(message)

        try:
            check_host(request.headers, self.settings)
            if scope["method"] not in SAFE:
                check_origin(request.headers)
                await self._read_form(request, is_new=is_new)
        except HTTPException as error:
            answer = self.refuse(request, error.status_code, error.detail)
            await answer(scope, receive, guarded)
        else:
            await self.app(scope, receive, guarded)
        finally:
            if "form" in scope["state"]:
                await scope["state"]["form"].close()

    def _token(self, session: str) -> str:
        return hmac.new(self._secret, session.encode(), hashlib.sha256).hexdigest()

    async def _read_form(self, request: Request, *, is_new: bool) -> None:
        """Read the form and compare its token; the routes find it in the request's state."""
        limited = Request(request.scope, await _within(request, self.settings.max_upload_bytes))
        form = await limited.form(max_files=MAX_FILES, max_fields=MAX_FIELDS)
        request.scope["state"]["form"] = form
        given = form.get(FIELD)
        token = request.scope["state"]["csrf"]
        if is_new or not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.encode()):
            raise HTTPException(
                403,
                "The form is out of date, or was sent from elsewhere. Open the page again and repeat it.",
            )


def form(request: Request) -> FormData:
    """Return the form of a request, its token already compared."""
    sent: FormData = request.state.form
    return sent


def check_host(headers: Headers, settings: Settings) -> None:
    """Refuse a request that calls the application by a name that is not its own.

    Any numeric address is its own unless it serves the loopback alone: a name is needed to mislead a
    browser, and only names are misled.

    Raises
    ------
    HTTPException
        421 for another name.
    """
    named = headers.get("host", "")
    host = re.sub(r":\d+$", "", named).strip("[]").lower()
    if host in ("localhost", settings.host.lower()) and host:
        return
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is not None and (address.is_loopback or not is_loopback(settings.host)):
        return
    raise HTTPException(
        421,
        f"This application does not answer to the name {named[:80]!r}. Open it at the address that "
        "isoflop serve printed.",
    )


def check_origin(headers: Headers) -> None:
    """Refuse a change that another site asked for, as the browser itself tells.

    Raises
    ------
    HTTPException
        403 for another site.
    """
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin")
    own = origin is None or re.sub(r"^https?://", "", origin) == headers.get("host")
    if site not in ("same-origin", "none") or not own:
        raise HTTPException(403, "Another site asked for this step. Do it from a page of this application.")


def is_loopback(host: str) -> bool:
    """Say whether an address can be reached from this computer alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _within(request: Request, limit: int) -> Receive:
    """Return a receiver that refuses a body above the limit, which it reads to its end first."""
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        await _drain(request.receive, int(announced), limit)
        raise too_large(limit)
    seen = 0

    async def receive() -> MutableMapping[str, Any]:
        nonlocal seen
        message = await request.receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            if message.get("more_body"):
                await _drain(request.receive, 0, limit)
            raise too_large(limit)
        return message

    return receive


async def _drain(receive: Receive, announced: int, limit: int) -> None:
    seen = 0
    while announced <= _MAX_DRAINED * limit and seen <= _MAX_DRAINED * limit:
        message = await receive()
        seen += len(message.get("body", b""))
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            return


def too_large(limit: int) -> HTTPException:
    """Return the refusal of a request above the limit."""
    shown = formats.number(limit / MEGABYTE)
    return HTTPException(
        413,
        f"The upload is larger than {shown} MB, which is the limit here. Send fewer rows or columns, save "
        "the table as Parquet, or start isoflop serve with a larger --max-upload.",
    )
