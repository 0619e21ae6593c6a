"""Answering requests for pages, and for what keeps them up to date."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from headwater.core.errors import ViewsBehind
from headwater.web.app_state import AppState, at_least, site_of
from headwater.web.assets import asset_version
from headwater.web.live.stream import EventStream, Watching, Where, load_again, updates
from headwater.web.pages.kinds import kind_of
from headwater.web.pages.page import Page, PageKind, PageViews, Params, Selection, Sources
from headwater.web.rendering import render

QUERY_CHARACTERS_MAX = 8000


async def send_page(request: Request) -> Response:
    """Render the page at this address, complete, as new as what this browser wrote."""
    site = site_of(request)
    path = request.scope["path"]  # `request.url` would write ? and # in it otherwise than % is
    found = kind_of(path)
    assert found is not None, "only paths of pages are routed here"
    kind, params = found
    query = Selection({name: value.replace("\0", "") for name, value in request.query_params.items()})
    notice = ""
    try:
        page, views = await _build(site, kind, params, query, wanted=at_least(request))
    except ViewsBehind as error:
        # Better what there is than nothing: the page says so, and is brought up to date.
        notice = f"This page is not up to date yet: {error}"
        page, views = await _build(site, kind, params, query, wanted=0)
    live = _live_address(quote(path), query, page, (views.position if page.position is None else page.position) or 0)
    return HTMLResponse(render(page.template, page_context(request, page, live=live, notice=notice)))


async def _build(site: AppState, kind: PageKind, params: Params, query: Params, *, wanted: int) -> tuple[Page, PageViews]:
    views = PageViews(site.log, at_least=wanted)
    page = await kind.build(Sources(log=site.log, views=views, heartbeats=site.heartbeats), params, query)
    return page, views


def page_context(request: Request, page: Page, *, live: str = "", notice: str = "") -> dict[str, Any]:
    """Return everything the page's template needs."""
    theme = request.cookies.get("headwater_theme", "")
    return {
        **site_of(request).page_context,
        "here": request.url.path,
        "theme": theme if theme in {"light", "dark"} else "",
        "title": page.title,
        "state": page.state,
        "live": live,
        "notice": notice,
        **page.context,
    }


def _live_address(path: str, query: Params, page: Page, position: int) -> str:
    asked = {
        "page": f"{path}?{urlencode(query)}" if query else path,
        "look": asset_version(),
        "from": str(Where(position=position, lines=page.lines_position)),
    }
    if page.changes_at is not None:
        asked["until"] = str(round(page.changes_at.timestamp() * 1000))
    return f"/live?{urlencode(asked)}"


def _address(text: str) -> SplitResult | None:
    """Return the address of a page in its parts, None where it is none."""
    try:
        return urlsplit(text)
    except ValueError:
        return None


async def send_updates(request: Request) -> Response | ASGIApp:
    """Stream what changes on a page: `page` is its address, `from` how far it is, `until` when it changes by itself (ms)."""
    site = site_of(request)
    address = _address(request.query_params.get("page", "")[:QUERY_CHARACTERS_MAX])
    found = None if address is None else kind_of(unquote(address.path))
    if address is None or found is None:
        return PlainTextResponse("There is no such page.\n", status_code=404)
    kind, params = found
    if request.query_params.get("look", asset_version()) != asset_version():
        return EventStream(load_again())
    query = Selection({name: value.replace("\0", "") for name, value in parse_qsl(address.query)})
    until = request.query_params.get("until", "")
    watching = Watching(
        key=f"{address.path}?{urlencode(sorted(query.items()))}",
        kind=kind,
        params=params,
        query=query,
        where=Where.parse(request.headers.get("last-event-id") or request.query_params.get("from", "")),
        changes_at=datetime.fromtimestamp(int(until) / 1000, UTC) if until.isascii() and until.isdigit() and len(until) == 13 else None,  # noqa: PLR2004 - milliseconds until the year 2286
        lines=kind.lines(params, query),
    )
    return EventStream(updates(site.hub, watching))
