"""Whether the server lives, whether it is ready, and its numbers: for those who watch it, restart it, or send people to it."""

from __future__ import annotations

import anyio
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from headwater.core.errors import HeadwaterError
from headwater.core.log.commit import Position
from headwater.core.log.health import LAG_MAX, ServerHealth
from headwater.core.log.protocol import Log
from headwater.core.queries.views_client import ViewsClient
from headwater.web.app_state import site_of

_WAIT_SECONDS = 2.0
_ANSWER_SECONDS = 1.8


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


async def health_by_asking(log: Log) -> ServerHealth:
    """Return how log and views fare, asked as anybody may, side by side and for two seconds at most.

    For pages that are served without our own server: that one would report its own.
    """
    problems = {"log": "It did not answer in time.", "views": "They did not answer in time."}
    log_position: Position | None = None
    views_position: Position | None = None

    async def ask_log() -> None:
        nonlocal log_position
        try:
            log_position = (await log.events.tail()).position
            del problems["log"]
        except HeadwaterError as error:
            problems["log"] = str(error)

    async def ask_views() -> None:
        nonlocal views_position
        try:
            status = await ViewsClient(log, wait_seconds=_WAIT_SECONDS).status(set_aside_limit=0)
        except HeadwaterError as error:
            problems["views"] = str(error)
            return
        views_position = status.position
        if status.problem is None:
            del problems["views"]
        else:
            problems["views"] = status.problem

    with anyio.move_on_after(_ANSWER_SECONDS):
        async with anyio.create_task_group() as group:
            group.start_soon(ask_log)
            group.start_soon(ask_views)
    health = ServerHealth(log_position=log_position, views_position=views_position, problems=problems)
    if not problems and (health.lag or 0) > LAG_MAX:
        problems["views"] = f"They are {health.lag} commits behind the log."
    return health


async def send_metrics(request: Request) -> Response:
    """Answer Prometheus."""
    site = site_of(request)
    views = ViewsClient(site.log, wait_seconds=_WAIT_SECONDS)
    health = await site.health()
    numbers = await site.metrics.collect(site.log, views, site.heartbeats, health, open_pages=site.hub.watchers)
    return Response(numbers, headers={"Content-Type": CONTENT_TYPE_LATEST})
