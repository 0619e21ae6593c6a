"""What the handlers of requests share: the log, who is heard, the hub, and what every page is rendered with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.requests import Request

from headwater.core.aggregates import Actor
from headwater.core.log.commit import Position
from headwater.core.log.health import ServerHealth
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.web.heartbeats import Heartbeats
from headwater.web.live.hub import LiveHub
from headwater.web.metrics import Metrics

if TYPE_CHECKING:
    from headwater.web.auth import SessionSigner


@dataclass
class AppState:
    """One web server on one log."""

    log: Log
    heartbeats: Heartbeats
    hub: LiveHub
    token: str
    page_context: dict[str, Any]
    metrics: Metrics
    health: Callable[[], Awaitable[ServerHealth]]
    signer: SessionSigner | None = None
    headwater: Headwater = field(init=False)
    graphql_wrote: Position = 0

    def __post_init__(self) -> None:
        self.headwater = Headwater(self.log, Actor("web"))


def site_of(request: Request) -> AppState:
    """Return the state of the application that answers this request."""
    site: AppState = request.app.state.site
    return site


def actor(request: Request) -> Actor:
    """Return who the audit trail says did what this request asks for."""
    return Actor(f"web:{request.client.host if request.client else 'unknown'}")


def headwater_of(request: Request) -> Headwater:
    """Return the log as the one who sent this request works with it."""
    return site_of(request).headwater.acting_as(actor(request))


def seen_cookie(request: Request) -> str:
    """Return the name of the cookie with the position a browser wrote; cookies are shared by all ports of a host."""
    return f"headwater_seen_{request.url.port or 80}"


def at_least(request: Request) -> Position:
    """Return the position that this browser's own changes reached: people read what they wrote."""
    text = request.cookies.get(seen_cookie(request), "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0  # noqa: PLR2004 - more digits are not a position
