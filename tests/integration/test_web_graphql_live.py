"""GraphQL subscriptions over a WebSocket, and ten thousand malformed documents that do no harm."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import websockets
from harness.history_builder import chain
from harness.views_fixtures import hosted
from harness.web_site import WAIT_SECONDS, WebSite, fresh_site
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

DOCUMENTS = 10_000
AT_ONCE = 8


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _run(site: WebSite) -> Any:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    return await site.history.run(flow.flow_id)


@asynccontextmanager
async def _connected(site: WebSite, **options: Any) -> AsyncIterator[ClientConnection]:
    address = f"{site.url.replace('http', 'ws')}/graphql"
    async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None, **options) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        assert json.loads(await socket.recv())["type"] == "connection_ack"
        yield socket


async def _subscribe(socket: ClientConnection, name: str, query: str, **variables: Any) -> None:
    await socket.send(json.dumps({"type": "subscribe", "id": name, "payload": {"query": query, "variables": variables}}))


async def _next(socket: ClientConnection) -> tuple[str, str, Any]:
    """The next message: its type, whose it is, and what it holds."""
    with anyio.fail_after(WAIT_SECONDS):
        message = json.loads(await socket.recv())
    return message["type"], message.get("id", ""), message.get("payload")


async def test_a_run_is_followed_by_its_states_to_its_end(site: WebSite) -> None:
    run = await _run(site)
    async with _connected(site) as socket:
        query = "subscription($id: UUID!) { flow_run_state(flow_run_id: $id) { state message } }"
        await _subscribe(socket, "s", query, id=run.run_id)
        seen = [await _next(socket)]
        await run.claim()
        seen.append(await _next(socket))
        await run.start()
        seen.append(await _next(socket))
        await run.finish()
        seen.append(await _next(socket))

        assert [payload["data"]["flow_run_state"]["state"] for _, _, payload in seen] == ["Scheduled", "Submitted", "Running", "Success"]
        assert (await _next(socket))[:2] == ("complete", "s")


async def test_task_states_logs_and_the_run_itself_can_be_followed_together(site: WebSite) -> None:
    run = await _run(site)
    async with _connected(site) as socket:
        await _subscribe(
            socket, "tasks", "subscription($id: UUID!) { task_run_state(flow_run_id: $id) { task_slug state } }", id=run.run_id
        )
        await _subscribe(socket, "log", "subscription($id: UUID!) { log(flow_run_id: $id) { level message } }", id=run.run_id)
        await _subscribe(socket, "run", "subscription($id: UUID!) { flow_run_by_pk(id: $id) { state } }", id=run.run_id)
        await run.claim()
        await run.start()
        await run.started("say_hello-1")
        await run.log("Hello, Cloud!")
        await run.succeeded("say_hello-1")
        await run.finish()
        seen: dict[str, list[Any]] = {"tasks": [], "log": [], "run": []}
        ended: set[str] = set()
        while ended != {"tasks", "run"} or not seen["log"]:
            kind, name, payload = await _next(socket)
            assert kind in {"next", "complete"}, (kind, payload)
            if kind == "complete":
                ended.add(name)
            else:
                seen[name].append(next(iter(payload["data"].values())))

    assert seen["tasks"] == [{"task_slug": "say_hello-1", "state": "Running"}, {"task_slug": "say_hello-1", "state": "Success"}]
    assert seen["log"] == [{"level": "INFO", "message": "Hello, Cloud!"}]
    assert seen["run"][-1] == {"state": "Success"}


async def test_a_subscription_to_nothing_ends_in_words(site: WebSite) -> None:
    async with _connected(site) as socket:
        await _subscribe(socket, "x", 'subscription { flow_run_by_pk(id: "0199c0de-7a3e-7000-8000-0123456789ab") { state } }')
        kind, _, payload = await _next(socket)

        assert kind in {"error", "next"}
        assert "not found" in json.dumps(payload)


async def test_pages_of_other_sites_get_no_connection(site: WebSite) -> None:
    with pytest.raises(websockets.InvalidStatus, match="403"):
        async with _connected(site, additional_headers={"Origin": "https://evil.example"}):
            raise AssertionError("it was let in")


async def test_ten_thousand_malformed_documents_get_clean_answers(site: WebSite) -> None:
    run = await _run(site)
    source = random.Random(20_261_121)
    good = [
        '{ flow_run(where: {state: {_eq: "Failed"}, _or: [{name: {_ilike: "%x%"}}]}, order_by: {created: desc}) { id flow { name } } }',
        'mutation { set_flow_run_name(input: {flow_run_id: "%s", name: "n"}) { success } }' % run.run_id,  # noqa: UP031
        'query Q($id: UUID! = "x") { flow_run_by_pk(id: $id) { ...F @include(if: true) } } fragment F on flow_run { id states { state } }',
        "subscription { log(flow_run_id: 7) { message } }",
        "{ __schema { types { name fields { name args { name } } } } }",
    ]
    words = [
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "$",
        "@",
        "!",
        "...",
        '"',
        '"""',
        "#",
        "\\u0000",
        "null",
        "-1e999",
        "9" * 40,
        "é",
        "\ufeff",
        "on",
        "fragment F on F",
        "a" * 500,
    ]

    def spoiled() -> Any:
        text = source.choice(good)
        for _ in range(source.randint(1, 4)):
            place = source.randrange(len(text) + 1)
            match source.randrange(4):
                case 0:
                    text = text[:place] + source.choice(words) * source.randint(1, 30) + text[place:]
                case 1:
                    text = text[:place] + text[place + source.randint(1, 12) :]
                case 2:
                    text = text[:place] + text
                case _:
                    text = text[:place] + chr(source.randrange(1, 0xD800)) + text[place:]
        variables: Any = source.choice([None, {"id": None}, {"id": [[]]}, '{"id": 1}', {"x": {"y": 2**70}}])
        return {"query": text, "variables": variables}

    documents = iter([spoiled() for _ in range(DOCUMENTS)])

    async def send() -> None:
        for document in documents:
            answer = await site.client.post("/graphql", json=document)
            assert answer.status_code in {200, 400, 413}, document
            body = answer.json()
            assert "data" in body or body["errors"], document
            assert all(isinstance(error["message"], str) for error in body.get("errors", [])), document
            assert "InternalError" not in answer.text, document

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(send)
