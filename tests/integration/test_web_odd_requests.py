"""Whatever is sent to the web, the answer is below 500: a page, or a sentence that says what is wrong."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import anyio
import httpx
import pytest
from harness.history_builder import chain
from harness.views_fixtures import hosted
from harness.web_site import WAIT_SECONDS, WebSite, fresh_site
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from headwater.core.calendar.schedules import IntervalSchedule
from headwater.core.events import BackfillChoice, BackfillTime
from headwater.core.operations.project_lookup import find_project
from headwater.core.values.identifiers import schedule_id
from headwater.web.app import routes
from headwater.web.schedules.form import form_of

UNKNOWN_ID = "0199c0de-7a3e-7000-8000-0123456789ab"
DIGITS = "9" * 5_000
DEEP = "[" * 1_000 + "]" * 1_000

ODD = (
    *(
        "",
        " ",
        "x",
        "*",
        ">",
        "hw.evt.>",
        "a b",
        "..",
        "/",
        "%",
        "UNKNOWN",
        "{0}",
        "\0",
        "\r\nSet-Cookie: x=1",
        "\x1b[31m",
        "\u202e",
        "\ufeff",
        "🎉",
    ),
    *("0", "-1", "²", "٣", "nan", "inf", "1e400", str(2**31), str(2**63), DIGITS, "n" * 3_000, "ü" * 300),
    *(
        "[[1],-5]",
        "[[1],5]",
        "[[],1]",
        '[["x"],1]',
        "[[1,2,3,4,5],1]",
        "[[null],null]",
        "[[true],1]",
        "[[1e400],1]",
        f"[[{DIGITS[:300]}],1]",
        "[",
        DEEP,
    ),
    *("http://[", "//[", "/default/flows?cursor=[", UNKNOWN_ID.upper(), f"{{{UNKNOWN_ID}}}", "0001-01-01", "9999-12-31T23:59:59-14:00"),
)
BYTES = (b"%ff", b"%ed%b3%a9", b"%c3", b"%zz", b"%00")
"""Percent-encoded bytes that are not UTF-8, or no encoding at all."""

QUERIED = (
    *(
        "archived",
        "backfill",
        "before",
        "choice",
        "cursor",
        "edit",
        "from",
        "index",
        "kind",
        "label",
        "level",
        "look",
        "month",
        "next",
        "page",
        "project",
        "q",
        "search",
    ),
    *("slug", "span", "state", "tab", "task", "text", "to", "until", "version"),
)
"""Every name that a page's query is asked for."""

FILLED = (
    *("attempts", "concurrency", "confirm", "context", "description", "index", "key", "labels", "limit", "name", "next", "own_labels"),
    *("choice", "from", "from_utc", "reverse", "to", "to_utc"),
    *("back", "intent", "new", "note", "seal", "slug", "until", "until_utc"),
    *("parameter:x", "parameters", "reason", "start", "start_utc", "state", "task", "when"),
)
"""Every name of a field."""


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _places(site: WebSite) -> dict[str, str]:
    """What stands in paths, each naming something that is there."""
    await site.history.project("tutorial")
    hourly = IntervalSchedule(timedelta(hours=1)).serialize()
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]), schedule=hourly)
    run = await site.history.run(flow.flow_id)
    await run.claim()
    own = schedule_id(flow.flow_group_id, "")
    definition = (await site.history.headwater().schedules.load(own)).state.definition
    assert definition is not None
    since, choice = datetime(2026, 3, 1, tzinfo=UTC), BackfillChoice.ALL
    asked = await site.history.headwater().backfills.request(definition, since, since, choice, (BackfillTime(nominal=since),))
    return {
        "backfill_id": asked.state.requested.backfill_id,
        "run_id": run.run_id,
        "flow_id": flow.flow_id,
        "schedule_id": own,
        "project_id": await find_project(site.log.events, "tutorial"),
        "slug": "say_hello-1",
        "task_run_id": f"{run.run_id}:-1:say_hello-1",
        "position": "1",
        "name": "headwater.css",
    }


def _paths(method: str) -> list[str]:
    """Every address there is for this method, with its parameters in braces."""
    found = [each for each in routes() if isinstance(each, Route) and method in (each.methods or {"GET"})]
    return sorted({each.path_format for each in found} - {"/live"})


def _filled(path: str, places: dict[str, str]) -> str:
    return path.format(**{name: quote(text, safe="") for name, text in places.items()})


def _addresses(path: str, places: dict[str, str]) -> Iterator[str]:
    """The address with each odd word in the place of each parameter."""
    for name in [name for name in places if f"{{{name}}}" in path]:
        for word in ODD:
            yield _filled(path, {**places, name: word})
        for raw in BYTES:
            yield path.replace(f"{{{name}}}", raw.decode()).format(**places)


def told(answer: httpx.Response, *what: Any) -> None:
    """The answer is not one of an internal error."""
    shown = [str(each)[:200] for each in what]
    assert answer.status_code < 500, (shown, answer.status_code, answer.text[-600:])
    assert "error of Headwater" not in answer.text, shown


@pytest.mark.parametrize("path", [path for path in _paths("GET") if "{" in path])
async def test_odd_words_in_the_address_of_a_page(site: WebSite, path: str) -> None:
    places = await _places(site)

    for address in _addresses(path, places):
        told(await site.client.get(address), address)


async def test_odd_words_in_the_query_of_every_page(site: WebSite) -> None:
    places = await _places(site)
    # Two at once, so that every page meets every word, and every name does.
    words = itertools.cycle(ODD)
    for path in _paths("GET"):
        for name in QUERIED:
            for _ in range(3):
                query = urlencode({name: next(words), "tab": next(words) if name != "tab" else "logs"})
                address = f"{_filled(path, places)}?{query}"
                told(await site.client.get(address), address)
        for raw in (*BYTES, b"&&==&", b"=", b"a=1;b=2"):
            told(await site.client.get(f"{_filled(path, places)}?cursor={raw.decode()}&tab={raw.decode()}"), path, raw)


@pytest.mark.parametrize("path", ["/", "/default/runs", "/default/flows", "/default/flow-run/{run_id}", "/default/flow/{flow_id}"])
async def test_odd_places_to_go_on_from(site: WebSite, path: str) -> None:
    places = await _places(site)

    for word, tab in itertools.product(ODD, ("runs", "tasks", "versions")):
        address = f"{_filled(path, places)}?{urlencode({'cursor': word, 'tab': tab})}"
        told(await site.client.get(address), address)


async def test_odd_pages_to_be_kept_up_to_date(site: WebSite) -> None:
    for word in ODD:
        for query in ({"page": word}, {"page": "/", "from": word}, {"page": "/", "until": word}, {"page": f"/?cursor={quote(word)}"}):
            async with site.client.stream("GET", f"/live?{urlencode(query)}", headers={"Last-Event-ID": quote(word)}) as answer:
                assert answer.status_code < 500, query


@pytest.mark.parametrize("path", [path for path in _paths("POST") if path not in {"/graphql", "/"}])
async def test_odd_forms(site: WebSite, path: str) -> None:
    places = await _places(site)
    address = _filled(path, places)
    words = itertools.cycle(ODD)

    for _ in ODD:
        fields = {name: next(words) for name in FILLED}
        told(await site.press(address, **fields), address, fields)
    for other in _addresses(path, places):
        told(await site.press(other, name="x", state="Failed", reason="x"), other)


async def test_odd_months_of_a_schedule(site: WebSite) -> None:
    address = _filled("/default/flow/{flow_id}", await _places(site))
    months = ("0000-00", "0001-01", "1971-01", "2199-12", "9999-12", "2026-1", "2026-11-01")
    for word in (*ODD, *months):
        for name in ("month", "slug", "edit"):
            query = urlencode({"tab": "schedule", name: word})
            told(await site.client.get(f"{address}?{query}"), query)


async def test_odd_words_in_each_field_of_the_form_of_a_schedule(site: WebSite) -> None:
    address = _filled("/default/flow/{flow_id}/schedule", await _places(site))
    usual = form_of(None).fields
    for kind, name in itertools.product(("cron", "interval"), usual):
        for word in ODD:
            fields = {**usual, "kind": kind, "cron": "0 6 * * *", "every": "5", "intent": "preview", name: word}
            told(await site.press(address, **fields), address, name, word)


BODIES = (
    *(b"", b"\xff\xfe", b"token=%ff%fe", b"%", b"&" * 5_000, b"a=1&" * 3_000, b"token", b"\0", b"--x\r\n", DIGITS.encode()),
    *(
        b"null",
        b"[]",
        b'"x"',
        b"{",
        b"{}",
        b"NaN",
        DEEP.encode(),
        DIGITS.encode(),
        b'{"query": 1}',
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": " "}',
    ),
)
KINDS = (
    *("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=x", "text/plain", ""),
    *("application/json; charset=latin-1", "application/json; charset=nothing", "application/x-www-form-urlencoded; charset=\xff", ";"),
)


@pytest.mark.parametrize("path", _paths("POST"))
async def test_bodies_that_are_nothing(site: WebSite, path: str) -> None:
    address = _filled(path, await _places(site))

    for body, kind in itertools.product(BODIES, KINDS):
        headers = [(b"Origin", site.url.encode()), (b"Content-Type", kind.encode("latin-1"))]
        told(await site.client.post(address, content=body, headers=headers), address, body, kind)


HEADERS: tuple[tuple[bytes, bytes], ...] = (
    *((b"Origin", word) for word in (b"http://[", b"null", b"", b"\xff", b"http://127.0.0.1:" + DIGITS.encode(), b"://", b"http://[::1")),
    *((b"Host", word) for word in (b"[", b"127.0.0.1:abc", b"127.0.0.1:99999999", b"\xff", b"", b"a b", b"[::1", b"127.0.0.1:")),
    *((b"Cookie", word) for word in (b"headwater_theme=\xff", b"=", b";;;", b"headwater_seen_80=" + DIGITS.encode(), b"a" * 4_000)),
    *((b"Accept", word) for word in (b"\xff", b"text/html;q=nan", b"")),
    *((b"Accept-Encoding", word) for word in (b"\xff", b"gzip;q=x")),
    *((b"If-None-Match", word) for word in (b"\xff", b'W/"')),
    *((b"Sec-Fetch-Site", word) for word in (b"\xff", b"cross-site")),
    *((b"X-Headwater-Token", word) for word in (b"\xff", b"x" * 4_000)),
    *((b"Authorization", word) for word in (b"Bearer \xff", b"Bearer", b"Basic x")),
    *((b"Last-Event-ID", word) for word in (b"\xff", DIGITS.encode(), b"1-2-3")),
    *((b"X-Forwarded-For", word) for word in (b"\xff", b"[")),
    *((b"Range", word) for word in (b"bytes=-1", b"bytes=9-1", b"\xff")),
)


@pytest.mark.parametrize("keyed", [False, True])
async def test_odd_headers(nats_url: str, database_url: str, keyed: bool) -> None:
    async with fresh_site(nats_url, database_url, **({"key": "k" * 20} if keyed else {})) as site:
        for header in HEADERS:
            for path in ("/", "/default/runs", "/graphql", "/login", "/ready", "/static/headwater.css"):
                told(await site.client.get(path, headers=[header]), header, path)
            for path in ("/graphql", "/login", "/logout", "/default/projects/create"):
                told(await site.client.post(path, headers=[header], json={"query": "{ hello }"}), header, path)


OPERATIONS: tuple[dict[str, Any], ...] = (
    {"query": ""},
    {"query": "#"},
    {"query": "{ hello }", "operationName": "other"},
    {"query": "query a { hello } query b { hello }", "operationName": "c"},
    {"query": "fragment f on query_root { hello }"},
    {"query": "fragment f on query_root { ...f } { ...f }"},
    {"query": 'subscription { log(flow_run_id: "x") { message } }'},
    {"query": "type Query { x: Int }"},
    {"query": "{" * 3_000},
    {"query": "{ hello " + "(" * 2_000},
    {"query": '{ flow_run(where: {name: {_eq: "\\ud800"}}) { id } }'},
    {"query": f"{{ flow_run(limit: {DIGITS}) {{ id }} }}"},
    {"query": f"{{ flow_run(where: {{labels: {{_contains: {DEEP}}}}}) {{ id }} }}"},
    {"query": f'mutation {{ create_flow_run(input: {{flow_id: "{UNKNOWN_ID}", parameters: {DEEP}}}) {{ id }} }}'},
)
TAKING: tuple[tuple[str, str], ...] = (
    ("query($x: Int) { flow_run(limit: $x) { id } }", "limit"),
    ("query($x: Int) { flow_run(offset: $x) { id } }", "offset"),
    ("query($x: UUID!) { flow_run_by_pk(id: $x) { id } }", "id"),
    ("query($x: String!) { task_run_by_pk(id: $x) { id } }", "task run"),
    ("query($x: String) { flow_run(where: {name: {_ilike: $x}}) { id } }", "text"),
    ("query($x: timestamptz) { flow_run(where: {created: {_gt: $x}}) { id } }", "time of no type"),
    ("query($x: DateTime) { flow_run(where: {created: {_gt: $x}}) { id } }", "time"),
    ("query($x: String) { log(where: {level: {_eq: $x}}) { message } }", "level"),
    ("query($x: flow_run_bool_exp) { flow_run(where: $x) { id } }", "conditions"),
    ('mutation($x: JSON) { create_flow_run(input: {flow_id: "UNKNOWN", parameters: $x}) { id } }', "parameters"),
    ('mutation($x: JSON!) { create_flow(input: {project_id: "UNKNOWN", serialized_flow: $x}) { id } }', "flow"),
    (
        'mutation($x: String!) { create_flow_from_compressed_string(input: {project_id: "UNKNOWN", serialized_flow: $x}) { id } }',
        "packed",
    ),
    ("mutation($x: String!) { create_project(input: {name: $x}) { id } }", "name"),
    ("mutation($x: String!) { delete_agent(input: {agent_id: $x}) { success } }", "agent"),
    ('mutation($x: DateTime) { create_flow_run(input: {flow_id: "UNKNOWN", scheduled_start_time: $x}) { id } }', "start"),
    *(
        (f'mutation($x: {kind}) {{ set_flow_group_schedule(input: {{flow_group_id: "UNKNOWN", {given}}}) {{ success }} }}', name)
        for kind, given, name in (
            ("String!", "cron_clocks: [{cron: $x}]", "cron"),
            ("Int!", "interval_clocks: [{interval: $x}]", "interval"),
            ("JSON", 'cron_clocks: [{cron: "0 6 * * *", parameter_defaults: $x}]', "parameters of a clock"),
            ("String", 'cron_clocks: [{cron: "0 6 * * *"}], timezone: $x', "time zone"),
            ("String", 'cron_clocks: [{cron: "0 6 * * *"}], policies: {overlap: $x}', "policy"),
            ("Float", 'cron_clocks: [{cron: "0 6 * * *"}], policies: {jitter: $x}', "jitter"),
            ("DateTime", 'cron_clocks: [{cron: "0 6 * * *"}], policies: {end: $x}', "end"),
            ("String!", 'cron_clocks: [{cron: "0 6 * * *"}], slug: $x', "slug"),
        )
    ),
    ('mutation($x: DateTime) { set_schedule_inactive(input: {flow_id: "UNKNOWN", until: $x}) { success } }', "until"),
    ("query($x: schedule_bool_exp) { schedule(where: $x) { id } }", "conditions of schedules"),
    (
        'mutation($x: JSON!) { set_flow_run_states(input: {states: [{flow_run_id: "UNKNOWN", state: $x}]}) { states { id } } }',
        "state",
    ),
)
VARIABLES = (
    *(json.dumps(word) for word in ODD),
    *('"\\ud800"', "NaN", "Infinity", DIGITS, "-" + DIGITS, DEEP, '{"a":' * 1_000 + "1" + "}" * 1_000, "null", "true", "1.5", "{}", "[]"),
    *('{"_and": [' * 60 + "{}" + "]}" * 60, '{"name": null}', '{"nothing": 1}', '{"type": 1}', '{"type": "Scheduled", "start_time": 1}'),
    *('{"type": "Scheduled", "start_time": "0001-01-01T00:00:00+14:00"}', '{"name": "x", "storage": {"type": "Local"}, "tasks": 5}'),
)


async def test_odd_operations(site: WebSite) -> None:
    for operation in OPERATIONS:
        answer = await site.client.post("/graphql", json=operation)

        told(answer, operation)
        assert answer.json().get("errors"), (operation, answer.text)


@pytest.mark.parametrize("query", [pytest.param(query.replace("UNKNOWN", UNKNOWN_ID), id=name) for query, name in TAKING])
async def test_odd_variables(site: WebSite, query: str) -> None:
    for variable in VARIABLES:
        for body in ('{"query": %s, "variables": {"x": %s}}', '{"query": %s, "variables": %s}'):
            text = variable if "{" in body[20:] else json.dumps(f'{{"x": {variable}}}')
            data = (body % (json.dumps(query), text)).encode()
            told(await site.client.post("/graphql", content=data, headers={"Content-Type": "application/json"}), query, variable)


MESSAGES: tuple[str | bytes, ...] = (
    *(
        "",
        "x",
        "{",
        "[]",
        "null",
        DIGITS,
        DEEP,
        "{}",
        '{"type": 1}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 1, "payload": []}',
        b"\xff\xfe",
        b"",
    ),
    *(
        '{"type": "subscribe", "id": "a", "payload": {"query": ""}}',
        '{"type": "subscribe", "id": "b", "payload": {"query": "fragment f on x { y }"}}',
    ),
    '{"type": "subscribe", "id": "c", "payload": {"query": "subscription { hello }", "operationName": "nothing"}}',
    '{"type": "subscribe", "id": "d", "payload": {"query": "subscription { log(flow_run_id: \\"*\\") { message } }"}}',
    (
        '{"type": "subscribe", "id": "e", "payload": '
        '{"query": "subscription($x: UUID!) { log(flow_run_id: $x) { at } }", "variables": {"x": DEEP}}}'
    ),
    '{"type": "subscribe", "id": "f", "payload": {"query": "{ hello }", "variables": "x", "extensions": 5}}',
    *('{"type": "complete", "id": "nothing"}', '{"type": "connection_init", "payload": 5}', '{"type": "ping", "payload": DEEP}'),
)


async def test_garbage_on_a_web_socket_ends_that_connection_at_most(site: WebSite, caplog: pytest.LogCaptureFixture) -> None:
    address = f"{site.url.replace('http', 'ws')}/graphql"
    ended: list[ConnectionClosed] = []
    for message in MESSAGES:
        for begun in (False, True):
            async with connect(address, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None) as socket:
                try:
                    with anyio.fail_after(WAIT_SECONDS):
                        if begun:
                            await socket.send('{"type": "connection_init"}')
                            await socket.recv()
                        await socket.send(message.replace("DEEP", DEEP) if isinstance(message, str) else message)
                        await socket.send('{"type": "ping"}')
                        await socket.recv()
                except ConnectionClosed as closed:
                    ended.append(closed)
        assert (await site.graphql("{ hello }"))["data"] == {"hello": "👋"}
    assert {closed.rcvd.code for closed in ended if closed.rcvd is not None} <= {4400, 4401, 1007}
    assert [record for record in caplog.records if record.exc_info] == []


def test_every_web_socket_is_tried() -> None:
    assert [each.path for each in routes() if isinstance(each, WebSocketRoute)] == ["/graphql"]
