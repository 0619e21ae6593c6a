"""Where the server has a key, no request comes in without it: not to pages, not to what keeps them up to date, not to GraphQL."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import anyio.to_thread
import httpx
import pytest
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from headwater.core.errors import AuthenticationFailed
from headwater.sdk.client import Client
from headwater.web.auth import REMEMBERED_SECONDS, SessionSigner

KEY = "s3cret key"


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url, key=KEY)) as site:
        yield site


async def _come_in(site: WebSite, key: str = KEY, address: str = "/default/flows?sort=x") -> httpx.Response:
    return await site.client.post("/login", data={"key": key, "next": address}, headers={"Origin": site.url})


@pytest.mark.parametrize("path", ["/", "/default/flows", "/default/flow-run/x?tab=logs", "/graphql", "/nowhere"])
async def test_a_page_asks_for_the_key_and_goes_on_where_one_wanted_to_go(site: WebSite, path: str) -> None:
    asked = await site.client.get(path)

    assert asked.status_code == 401
    assert 'name="key"' in asked.text
    assert f'name="next" value="{path}"' in asked.text
    assert 'name="token"' not in asked.text
    assert "default-src 'none'" in asked.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/metrics"), ("GET", "/live?page=/"), ("POST", "/graphql"), ("POST", "/"), ("POST", "/default/projects/create")],
)
async def test_a_program_is_asked_for_the_key_and_is_served_with_it(site: WebSite, method: str, path: str) -> None:
    programs = {"Accept": "application/json"}
    for wrong in ({}, {"Authorization": "Bearer nope"}, {"Authorization": f"Basic {KEY}"}, {"Cookie": f"headwater_key_80={KEY}"}):
        refused = await site.client.request(method, path, headers={**programs, **wrong})
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer"), wrong
        assert "Authorization: Bearer KEY" in refused.json()["hint"]
    headers = {**programs, "Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    if not path.startswith("/live"):
        served = await site.client.request(method, path, headers=headers, content=b'{"query": "{ hello }"}')
        assert served.status_code == (403 if "create" in path else 200)


async def test_what_watches_the_server_needs_no_key(site: WebSite) -> None:
    for path in ("/health", "/ready", "/static/headwater.css"):
        assert (await site.client.get(path)).status_code == 200


async def test_the_key_opens_everything_and_is_kept_by_no_browser(site: WebSite) -> None:
    refused = await _come_in(site, "wrong")
    assert (refused.status_code, "not the key" in refused.text, "set-cookie" in refused.headers) == (401, True, False)

    let_in = await _come_in(site)

    assert (let_in.status_code, let_in.headers["location"]) == (303, "/default/flows?sort=x")
    cookie = let_in.headers["set-cookie"]
    assert KEY not in cookie
    assert "secret" not in cookie
    for word in ("HttpOnly", "SameSite=strict", f"Max-Age={REMEMBERED_SECONDS}", "Path=/"):
        assert word in cookie
    async with site.open_page("/default/projects") as page:
        assert (await site.press("/default/projects/create", name="tutorial")).status_code == 303
        await page.until("tutorial")
    assert (await site.graphql("{ project { name } }"))["data"] == {"project": [{"name": "tutorial"}]}
    assert (await site.client.get("/login?next=/default/log")).headers["location"] == "/default/log"
    assert "Forget the key" in await site.page("/default/server")
    await site.client.post("/logout", headers={"Origin": site.url})
    assert (await site.client.get("/")).status_code == 401


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\r\nSet-Cookie: b=c"])
async def test_no_browser_is_sent_to_another_site(site: WebSite, address: str) -> None:
    assert (await _come_in(site, address=address)).headers["location"] == "/"


async def test_a_signature_ends_and_holds_for_this_key_and_this_log_alone(site: WebSite) -> None:
    identity = (await site.log.events.tail()).identity
    name = f"headwater_key_{httpx.URL(site.url).port}"
    good = SessionSigner(KEY, identity).signed(4_000_000_000)
    shown = {
        good: 200,
        good.replace("4000000000", "4000000001"): 401,
        SessionSigner("other", identity).signed(4_000_000_000): 401,
        SessionSigner(KEY, "other").signed(4_000_000_000): 401,
        SessionSigner(KEY, identity).signed(1_000_000_000): 401,
        "4000000000.": 401,
        ".": 401,
        "x" * 5000: 401,
    }
    for value, status in shown.items():
        assert (await site.client.get("/", headers={"Cookie": f"{name}={value}"})).status_code == status, value


async def test_a_link_from_another_site_is_followed_by_a_page_of_this_site_which_the_browser_trusts(site: WebSite) -> None:
    answer = await site.client.get("/default/log?kind=run", headers={"Sec-Fetch-Site": "cross-site"})

    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', answer.text)
    assert found is not None
    assert found.group(1) == "/login?next=%2Fdefault%2Flog%3Fkind%3Drun"


async def test_subscriptions_need_the_key_too(site: WebSite) -> None:
    address = site.url.replace("http", "ws") + "/graphql"
    with pytest.raises(InvalidStatus):
        async with connect(address, subprotocols=["graphql-transport-ws"]):  # type: ignore[list-item]
            pass
    async with connect(
        address,
        subprotocols=["graphql-transport-ws"],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Bearer {KEY}"},
    ) as socket:
        await socket.send('{"type": "connection_init"}')
        assert "connection_ack" in str(await socket.recv())


async def test_the_python_client_sends_its_key(site: WebSite, nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_UI_URL", site.url)

    def ask() -> None:
        assert Client(nats_url, key=KEY).graphql("{ hello }").data.hello
        with pytest.raises(AuthenticationFailed):
            Client(nats_url, key="another").graphql("{ hello }")

    await anyio.to_thread.run_sync(ask)
