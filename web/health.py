"""Whether the server lives, whether it is ready, and its numbers: for those who watch it, restart it, or send people to it."""

from __future__ import annotations

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from headwater.core.query_client import Views
from headwater.web.site import site_of

_WAIT_SECONDS = 2.0


async def health(_: Request) -> Response:
    """Answer 200: the program runs."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """Answer 200 where this server's log takes writes, its views follow the log and all its parts run; else 503 and what is amiss."""
    found = await site_of(request).health()
    answer: dict[str, object] = {"status": "ready" if found.ready else "not ready"}
    if found.log_position is not None:
        answer["log_position"] = found.log_position
    if found.views_position is not None:
        answer["views_position"] = found.views_position
    if found.lag is not None:
        answer["lag"] = found.lag
    if found.problems:
        answer["problems"] = found.problems
    return JSONResponse(answer, status_code=200 if found.ready else 503)


async def send_metrics(request: Request) -> Response:
    """Answer Prometheus."""
    site = site_of(request)
    views = Views(site.log, wait_seconds=_WAIT_SECONDS)
    health = await site.health()
    numbers = await site.metrics.collect(site.log, views, site.presence, health, open_pages=site.hub.watchers)
    return Response(numbers, headers={"Content-Type": CONTENT_TYPE_LATEST})
