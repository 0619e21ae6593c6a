"""What every request and every answer must pass: the right host, the right origin, a strict policy for content, and a token for changes.

The danger is a page of another site in the same browser. It cannot read our pages, so it knows no token; its requests bear its own
origin; and a name that it lets point to loopback is not one of this site. Who may come in at all is another question: see `guard`.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import FormData, Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from headwater.core.errors import CommandRejected
from headwater.core.values.plain_values import problem_of_text

CONTENT_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "connect-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # "no-referrer" would make browsers hide the origin of our own forms, too.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
FORM_BYTES_MAX = 1024 * 1024


class CrossSiteRequest(CommandRejected):
    """A request to change something did not come from a page of this site."""


class BodyTooLarge(CommandRejected):
    """A request holds more than we read."""


class RequestChecks:
    """Middleware: refuses requests for other hosts and changes from other origins; adds the headers that browsers obey."""

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope)
        if scope["type"] == "websocket":
            if problem is None:
                await self._app(scope, receive, send)
            else:
                await send({"type": "websocket.close", "code": 4403, "reason": problem[:100]})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if problem is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await PlainTextResponse(problem + "\n", status_code=403)(scope, receive, send_with_headers)

    def _problem(self, scope: Scope) -> str | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(_host_name(host)):
            return f"This server does not answer for the host {host!r}; set HEADWATER_UI_URL to the address that people use."
        if scope["type"] == "http" and scope["method"] in _READING:
            return None
        origin = headers.get("origin")
        if origin is not None and _place(origin) != host:
            return "This request comes from another site; it changes nothing here."
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return "This request comes from another site; it changes nothing here."
        return None

    def _is_ours(self, name: str) -> bool:
        """Tell whether no stranger can own this name: an address, a name without a domain, or one that was set for us."""
        return bool(name) and (name in self._hosts or "." not in name or _is_address(name))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _place(origin: str) -> str | None:
    """Return the host and port of an origin, None where it is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def page_token(log_identity: str, key: str | None) -> str:
    """Return what every form of this site must carry: the same over restarts and on every server of this log, unknown to other sites."""
    secret = f"{log_identity}\x1f{key or ''}".encode()
    return hmac.new(secret, b"a form of our own", hashlib.sha256).hexdigest()[:32]


async def read_form(request: Request, *, fields_max: int) -> FormData:
    """Return the form in a request.

    Raises:
        CrossSiteRequest: it holds none that a page of this site could have sent.
        BodyTooLarge: it holds more than 1 MB.

    """
    length = request.headers.get("content-length") or "0"
    if not (length.isascii() and length.isdigit()) or len(length) > len(str(FORM_BYTES_MAX)) or int(length) > FORM_BYTES_MAX:
        raise BodyTooLarge("The form holds more than 1 MB.")
    try:
        form = await request.form(max_files=0, max_fields=fields_max, max_part_size=FORM_BYTES_MAX)
    except (MultiPartException, HTTPException) as error:
        raise CrossSiteRequest(
            f"This is not a form of this site: {getattr(error, 'message', None) or getattr(error, 'detail', '')}"
        ) from error
    except ValueError as error:
        raise CrossSiteRequest("This is not a form of this site: its fields are not UTF-8 text.") from error
    if any(isinstance(text, str) and problem_of_text(text) is not None for pair in form.multi_items() for text in pair):
        raise CrossSiteRequest("This is not a form of this site: its fields are not UTF-8 text.")
    return form


async def checked_form(request: Request, token: str) -> FormData:
    """Return the form that was sent by a page of this site.

    Raises:
        CrossSiteRequest: the token is missing or wrong.
        BodyTooLarge: it holds more than 1 MB.

    """
    form = await read_form(request, fields_max=1000)
    given = form.get("token") or request.headers.get("x-headwater-token") or ""
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), token.encode()):
        raise CrossSiteRequest("The form was not made by a page of this server.", hint="Load the page again, then repeat what you did.")
    return form
