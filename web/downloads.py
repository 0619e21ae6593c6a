"""Logs of runs as files, streamed page by page so that a log of any size costs little memory; and single commits as they are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from headwater.core.errors import NotFound
from headwater.core.queries import ListLogs, LogRow
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.plain_values import position_in, shortened
from headwater.web.app_state import site_of
from headwater.web.log_lines import level_name
from headwater.web.pages.page import PageViews, Sources
from headwater.web.pages.run import find_run

_decode = msgspec.json.Decoder(list[LogRow]).decode


async def log_as_text(request: Request) -> Response:
    """Send a run's log, one line each: time, level, logger, message as it was logged."""
    return await _download(request, "txt", "text/plain; charset=utf-8", _as_text)


async def log_as_json(request: Request) -> Response:
    """Send a run's log as JSON, one object a line."""
    return await _download(request, "jsonl", "application/x-ndjson", _as_json)


def _as_text(row: LogRow) -> bytes:
    at = row.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{at} {level_name(row.level).upper():8} {row.logger}: {row.message}\n".encode(errors="replace")


def _as_json(row: LogRow) -> bytes:
    return msgspec.json.encode(row) + b"\n"


async def commit_as_json(request: Request) -> Response:
    """Send the bytes of one commit, as the log holds them."""
    asked = request.path_params["position"]
    position = position_in(asked)
    recorded = await site_of(request).log.events.at(position) if position else None
    if recorded is not None:
        return Response(recorded.data, media_type="application/json")
    raise NotFound("commit", shortened(asked), hint="The log is not that long.")


async def _download(request: Request, ending: str, media_type: str, form: Callable[[LogRow], bytes]) -> Response:
    site = site_of(request)
    views = PageViews(site.log)
    run = await find_run(Sources(log=site.log, views=views, heartbeats=site.heartbeats), request.path_params["run_id"])
    headers = {"Content-Disposition": f'attachment; filename="{run.id}.{ending}"'}
    return StreamingResponse(_pages(views, run.id, form), media_type=media_type, headers=headers)


async def _pages(views: ViewsClient, run_id: str, form: Callable[[LogRow], bytes]) -> AsyncIterator[bytes]:
    cursor: str | None = None
    while True:
        reply = await views.page(ListLogs(run_id=run_id), cursor=cursor)
        yield b"".join(map(form, _decode(reply.rows)))
        cursor = reply.next
        if cursor is None:
            return
