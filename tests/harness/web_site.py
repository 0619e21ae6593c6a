"""The web, served for tests as a server does it: on the views of a real log, over real HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx

from harness.history_builder import History
from harness.views_fixtures import opened, serving
from headwater.core.log.protocol import Log
from headwater.projections.database import USUAL_TIMES, DatabaseTimes
from headwater.projections.services import view_services
from headwater.server.ports import bind_port
from headwater.web.service import WebService

WAIT_SECONDS = 30.0


@dataclass
class WebSite:
    """A running web server, a client of it, and a way to make things happen in its log."""

    log: Log
    url: str
    client: httpx.AsyncClient
    history: History
    token: str = ""

    async def page(self, path: str, *, status: int = 200) -> str:
        """The page's HTML, as new as the log."""
        tail = (await self.log.events.tail()).position
        self.client.cookies.set(f"headwater_seen_{httpx.URL(self.url).port}", str(tail), domain="127.0.0.1", path="/")
        answer = await self.client.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-3000:])
        return answer.text

    async def press(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as the page's button does."""
        if not self.token:
            found = re.search(r'name="token" value="([0-9a-f]+)"', (await self.client.get("/")).text)
            assert found is not None
            self.token = found.group(1)
        return await self.client.post(path, data={"token": self.token, **fields}, headers={"Origin": self.url})

    @asynccontextmanager
    async def open_page(self, path: str) -> AsyncIterator[OpenPage]:
        """A page as a browser has it open: loaded, then kept up to date."""
        html = await self.page(path)
        found = re.search(r'data-live="([^"]+)"', html)
        assert found is not None, "the page is not live"
        async with self.follow(found.group(1).replace("&amp;", "&"), html) as opened_page:
            yield opened_page

    @asynccontextmanager
    async def follow(self, address: str, html: str = "", *, last_id: str = "") -> AsyncIterator[OpenPage]:
        headers = {"Last-Event-ID": last_id} if last_id else {}
        async with self.client.stream("GET", address, headers=headers, timeout=None) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield OpenPage(address, html, answer.aiter_lines())

    async def graphql(self, query: str, **body: Any) -> dict[str, Any]:
        answer = await self.client.post("/graphql", json={"query": query, **body})
        found: dict[str, Any] = answer.json()
        return found


@dataclass
class OpenPage:
    """What a browser with this page open has been sent so far."""

    address: str
    html: str
    lines: AsyncIterator[str]
    parts: dict[str, str] = field(default_factory=dict)
    log_lines: str = ""
    notice: str = ""
    last_id: str = ""
    received: int = 0

    async def until(self, text: str, *, in_part: str | None = None) -> str:
        """Read on until the text is on the page; return the part that holds it."""
        with anyio.fail_after(WAIT_SECONDS):
            while True:
                for name, html in {**self.parts, "lines": self.log_lines, "notice": self.notice}.items():
                    if text in html and in_part in {None, name}:
                        return html
                await self._next()

    async def _next(self) -> None:
        event, data = "", ""
        async for line in self.lines:
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
            elif not line and event:
                self.received += 1
                self._take(event, json.loads(data))
                return
        raise AssertionError(f"the stream ended; it had sent {list(self.parts)}")

    def _take(self, event: str, data: Any) -> None:
        match event:
            case "parts":
                self.parts |= data
            case "lines":
                self.log_lines += data
            case "notice":
                self.notice = data


@asynccontextmanager
async def web_site(log: Log, database_url: str, *, times: DatabaseTimes = USUAL_TIMES, **settings: Any) -> AsyncIterator[WebSite]:
    """The views and the web on this log, until the block ends."""
    bound = bind_port(0, option="--port")
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    services = [*view_services(log, database_url, times=times), WebService(log, bound, **settings)]
    browser = httpx.AsyncClient(base_url=url, timeout=WAIT_SECONDS, trust_env=False, headers={"Accept": "text/html"})
    async with serving(*services), browser as client:
        yield WebSite(log, url, client, History(log))


@asynccontextmanager
async def fresh_site(nats_url: str, database_url: str, **settings: Any) -> AsyncIterator[WebSite]:
    async with opened(nats_url) as log, web_site(log, database_url, **settings) as site:
        yield site


def live_address(path: str, *, position: int = 0, lines: int = 0) -> str:
    """The address of the updates of a page that was rendered at these positions."""
    return f"/live?{urlencode({'page': path, 'from': f'{position}-{lines}'})}"
