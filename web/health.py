"""Whether the server lives, whether it is ready, and its numbers: for those who watch it, restart it, or send people to it."""

from __future__ import annotations

from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from headwater.core.errors import HeadwaterError
from headwater.core.query_client import Views
from headwater.web.site import site_of

LAG_MAX = 10_000
"""How many commits the views may be behind the log of a ready server."""
_WAIT_SECONDS = 2.0


async def health(_: Request) -> Response:
    """Answer 200: the program runs."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """Answer 200 where the log answers and the views follow it, else 503 and what is amiss."""
    site = site_of(request)
    problems: dict[str, str] = {}
    answer: dict[str, object] = {}
    try:
        answer["log_position"] = (await site.log.events.tail()).position
    except HeadwaterError as error:
        problems["log"] = str(error)
    try:
        status = await Views(site.log, wait_seconds=_WAIT_SECONDS).status(set_aside_limit=0)
        answer |= {"views_position": status.position, "lag": status.lag}
        if status.problem is not None:
            problems["views"] = status.problem
        elif status.lag > LAG_MAX:
            problems["views"] = f"They are {status.lag} commits behind the log."
    except HeadwaterError as error:
        problems["views"] = str(error)
    answer = {"status": "not ready" if problems else "ready", **answer, **({"problems": problems} if problems else {})}
    return JSONResponse(answer, status_code=503 if problems else 200)


async def send_metrics(request: Request) -> Response:
    """Answer Prometheus."""
    site = site_of(request)
    views = Views(site.log, wait_seconds=_WAIT_SECONDS)
    numbers = await site.metrics.collect(site.log, views, site.presence, open_pages=site.hub.watchers)
    return Response(numbers, headers={"Content-Type": CONTENT_TYPE_LATEST})
