"""Who may come in where the server has a key: those who show it, as a bearer's token or once on a page that then remembers it.

The browser remembers a signature and not the key: it is worthless elsewhere, ends after 30 days, and when the key changes.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from headwater.web.app_state import site_of
from headwater.web.rendering import render
from headwater.web.request_checks import read_form

REMEMBERED_SECONDS = 30 * 24 * 3600
OPEN_PATHS = frozenset({"/login", "/health", "/ready"})
"""Asked for by programs that watch the server, and the page that asks for the key."""
_OPEN_FOLDER = "/static/"
_CLOSED = 4401


@dataclass(frozen=True)
class SessionSigner:
    """Knows the key of a server, and what browsers show instead of it. Signatures of one log hold on every server of it."""

    key: str
    log_identity: str

    def signed(self, until: int) -> str:
        """Return what a browser shows until then (seconds since 1970)."""
        secret = hashlib.sha256(f"{self.log_identity}\x1f{self.key}".encode()).digest()
        return f"{until}.{hmac.new(secret, f'a browser of ours until {until}'.encode(), hashlib.sha256).hexdigest()}"

    def is_key(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.key.encode())

    def lets_in(self, connection: HTTPConnection) -> bool:
        """Tell whether the request shows the key, or a signature that holds."""
        scheme, _, given = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_key(given.strip()):
            return True
        shown = connection.cookies.get(cookie_name(connection), "")
        until = shown.partition(".")[0]
        if not (until.isascii() and until.isdigit() and len(until) == len(str(int(time.time())))):
            return False
        return hmac.compare_digest(shown.encode(), self.signed(int(until)).encode()) and time.time() < int(until)


def cookie_name(connection: HTTPConnection) -> str:
    """Return the name of the cookie; cookies are shared by all ports of a host."""
    return f"headwater_key_{connection.url.port or 80}"


class AuthMiddleware:
    """Middleware: refuses requests without the key. Without a signer every request may come in."""

    def __init__(self, app: ASGIApp, *, signer: SessionSigner | None) -> None:
        self._app = app
        self._keeper = signer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            self._keeper is None
            or scope["type"] not in {"http", "websocket"}
            or _is_open(scope["path"])
            or self._keeper.lets_in(HTTPConnection(scope))
        ):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _CLOSED, "reason": "The server wants its key."})
        else:
            await _ask(Request(scope))(scope, receive, send)


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(_OPEN_FOLDER)


def _ask(request: Request) -> Response:
    """Ask people for the key on a page, and programs in a sentence."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        address = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        # On the way from another site's link the browser sends no cookie of this site; from a page of this site it does.
        is_from_elsewhere = Headers(scope=request.scope).get("sec-fetch-site") in {"cross-site", "same-site"}
        return _login_page(address, again=f"/login?{urlencode({'next': address})}" if is_from_elsewhere else "")
    message = "This server wants its key."
    hint = "Send it as `Authorization: Bearer KEY`."
    answer = {"error": message, "hint": hint, "errors": [{"message": f"{message} {hint}"}]}
    return JSONResponse(answer, status_code=401, headers={"WWW-Authenticate": "Bearer"})


def _login_page(address: str, *, problem: str = "", again: str = "") -> Response:
    context = {"next": address, "problem": problem, "again": again}
    return HTMLResponse(render("login.html", context), status_code=401, headers={"WWW-Authenticate": "Bearer"})


async def send_login(request: Request) -> Response:
    """Ask for the key; a browser that showed it before is sent on."""
    signer = site_of(request).signer
    address = _on_this_server(request.query_params.get("next", ""))
    if signer is None or signer.lets_in(request):
        return RedirectResponse(address, status_code=303)
    return _login_page(address)


async def take_key(request: Request) -> Response:
    """Let a browser that sends the key in, and remember it."""
    signer = site_of(request).signer
    form = await read_form(request, fields_max=4)
    given, address = form.get("key"), form.get("next")
    address = _on_this_server(address if isinstance(address, str) else "")
    if signer is None:
        return RedirectResponse(address, status_code=303)
    if not isinstance(given, str) or not signer.is_key(given.strip()):
        return _login_page(address, problem="This is not the key of this server.")
    response = RedirectResponse(address, status_code=303)
    shown = signer.signed(int(time.time()) + REMEMBERED_SECONDS)
    is_secure = request.url.scheme == "https" or request.headers.get("x-forwarded-proto") == "https"
    response.set_cookie(cookie_name(request), shown, max_age=REMEMBERED_SECONDS, httponly=True, samesite="strict", secure=is_secure)
    return response


async def forget_key(request: Request) -> Response:
    """Have this browser show nothing any more."""
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(cookie_name(request), httponly=True, samesite="strict")
    return response


def _on_this_server(address: str) -> str:
    """Return the address if it is a path on this server, else that of the dashboard."""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_path else "/"
