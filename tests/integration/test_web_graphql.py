"""GraphQL: the tutorial's text as it stands, the names that old clients know, and clear words for what cannot be."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread
import pytest
from harness.history_builder import ETL_TASKS, chain, play_etl
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.errors import ViewsUnavailable
from headwater.core.events import ParameterSpec
from headwater.core.operations.run_lookup import load_run
from headwater.core.values.identifiers import parsed_task_run_id, task_run_path
from headwater.sdk.client import Client
from headwater.sdk.client.graphql import EnumValue, GraphQLError, with_args
from headwater.web.graphql import columns
from headwater.web.graphql.inputs import Order


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _flow(site: WebSite, name: str = "hello-flow", **more: Any) -> str:
    await site.history.project("Hello, World!")
    return (await site.history.flow(name, project="Hello, World!", **{**chain(["say_hello"]), **more})).flow_id


async def _data(site: WebSite, query: str, **body: Any) -> dict[str, Any]:
    answer = await site.graphql(query, **body)
    assert "errors" not in answer, answer
    data: dict[str, Any] = answer["data"]
    return data


@pytest.mark.parametrize("path", ["/graphql", "/"])
async def test_the_tutorials_mutation_creates_a_run(site: WebSite, path: str) -> None:
    flow_id = await _flow(site)
    text = 'mutation { create_flow_run(input: { flow_id: "%s" }) { id } }' % flow_id  # noqa: UP031 - braces, as the tutorial has them

    answer = (await site.client.post(path, json={"query": text})).json()

    run = (await load_run(site.log.events, answer["data"]["create_flow_run"]["id"])).state
    assert run.created.flow_id == flow_id


async def test_variables_may_be_an_object_or_a_text_and_values_json_inside_a_text(site: WebSite) -> None:
    flow_id = await _flow(site, parameters=[ParameterSpec("x", default=1)])
    mutation = "mutation($input: create_flow_run_input!) { create_flow_run(input: $input) { id } }"
    given = {"flow_id": flow_id, "flow_run_name": "mine", "labels": ["b", "a"]}

    first = await _data(site, mutation, variables={"input": {**given, "parameters": {"x": 2}, "context": {"k": None}}})
    second = await _data(site, mutation, variables=json.dumps({"input": {**given, "parameters": '{"x": 2}'}}))

    for made in (first, second):
        created = (await load_run(site.log.events, made["create_flow_run"]["id"])).state.created
        assert (created.parameters, created.labels, created.name) == ({"x": 2}, ("a", "b"), "mine")


async def test_what_was_written_is_read_at_once(site: WebSite) -> None:
    made = await _data(site, 'mutation { create_project(input: {name: "tutorial", description: "d"}) { id } }')
    project_id = made["create_project"]["id"]

    assert (await _data(site, '{ project(where: {name: {_eq: "tutorial"}}) { id name description } }'))["project"] == [
        {"id": project_id, "name": "tutorial", "description": "d"}
    ]
    rename = "mutation($id: UUID!) { set_project_name(input: {project_id: $id, name: %s}) { id } }" % '"other"'  # noqa: UP031
    await _data(site, rename, variables={"id": project_id})
    assert (await _data(site, "query($id: UUID!) { project_by_pk(id: $id) { name } }", variables={"id": project_id}))["project_by_pk"] == {
        "name": "other"
    }
    await _data(site, "mutation($id: UUID!) { delete_project(input: {project_id: $id}) { success error } }", variables={"id": project_id})
    assert (await _data(site, "{ project { id } }"))["project"] == []


async def test_runs_are_read_with_their_flows_tasks_states_and_logs(site: WebSite) -> None:
    flow_id = await _flow(site, "etl", **ETL_TASKS)
    played = await play_etl(site.history, flow_id, fail=True, children=2)
    await site.page("/")  # the views are as new as the log

    query = """query($id: UUID!) { flow_run_by_pk(id: $id) {
        name state duration labels version
        flow {
            name version archived project { name } tasks { slug } edges { upstream_task downstream_task } flow_group { flows { version } }
        }
        task_runs { id task_slug map_index state flow_run { id } states { state } }
        states { state message } logs { level name message }
    } }"""
    run = (await _data(site, query, variables={"id": played.run_id}))["flow_run_by_pk"]

    assert (run["state"], run["flow"]["name"], run["flow"]["project"]["name"]) == ("Failed", "etl", "Hello, World!")
    assert [state["state"] for state in run["states"]] == ["Scheduled", "Submitted", "Running", "Failed"]
    assert len(run["task_runs"]) == 7
    assert {"upstream_task": "extract-1", "downstream_task": "transform-1"} in run["flow"]["edges"]
    assert run["flow"]["flow_group"]["flows"] == [{"version": 1}]
    failed = next(task for task in run["task_runs"] if task["task_slug"] == "load-1")
    assert [state["state"] for state in failed["states"]] == ["Running", "Failed"]
    one = await _data(site, "query($id: String!) { task_run_by_pk(id: $id) { name state } }", variables={"id": failed["id"]})
    assert one["task_run_by_pk"] == {"name": "load", "state": "Failed"}
    in_python = {"id": task_run_path(*parsed_task_run_id(failed["id"]))}
    assert await _data(site, "query($id: String!) { task_run_by_pk(id: $id) { name state } }", variables=in_python) == one


async def test_where_order_limit_and_offset(site: WebSite) -> None:
    flow_id = await _flow(site, "etl", **ETL_TASKS)
    for fail in (False, True, False):
        await play_etl(site.history, flow_id, fail=fail, children=1)
    waiting = await site.history.run(flow_id, name="Waits_100%")
    await site.page("/")

    async def names(where: str, more: str = "") -> int:
        return len((await _data(site, "{ flow_run(where: %s %s) { id name } }" % (where, more)))["flow_run"])  # noqa: UP031

    assert await names('{state: {_in: ["Success", "Failed"]}}') == 3
    assert await names('{_or: [{state: {_eq: "Failed"}}, {name: {_ilike: "waits%"}}]}') == 2
    assert await names('{_not: {state: {_eq: "Success"}}, flow: {name: {_eq: "etl"}, project: {name: {_eq: "Hello, World!"}}}}') == 2
    assert await names("{end_time: {_is_null: true}}") == 1
    assert await names('{flow_id: {_eq: "%s"}}' % flow_id, "limit: 2") == 2  # noqa: UP031
    assert await names('{start_time: {_gte: "2031-01-01T00:00:00+00:00"}}') == 0
    newest = await _data(site, "{ flow_run(order_by: {created: desc}, limit: 1) { id } }")
    assert newest["flow_run"] == [{"id": waiting.run_id}]
    assert (await _data(site, "{ flow_run(order_by: [{state: asc}, {created: desc}], offset: 3) { state } }"))["flow_run"] == [
        {"state": "Success"}
    ]
    assert len((await _data(site, '{ log(where: {level: {_gte: "WARNING"}}) { message level } }'))["log"]) == 4
    assert len((await _data(site, '{ task_run(where: {map_index: {_gte: 0}, task: {name: {_eq: "transform"}}}) { id } }'))["task_run"]) == 3
    assert len((await _data(site, "{ task(where: {mapped: {_eq: true}}) { slug } }"))["task"]) == 1


async def test_a_time_without_a_zone_is_in_utc(site: WebSite) -> None:
    flow_id = await _flow(site, "etl")
    text = 'mutation { create_flow_run(input: {flow_id: "%s", scheduled_start_time: "2099-07-01T08:30:00"}) { id } }' % flow_id  # noqa: UP031 - braces
    run_id = (await _data(site, text))["create_flow_run"]["id"]

    assert (await load_run(site.log.events, run_id)).state.scheduled_for == datetime(2099, 7, 1, 8, 30, tzinfo=UTC)
    found = '{ flow_run(where: {scheduled_start_time: {_eq: "2099-07-01T08:30:00"}}) { id } }'
    assert (await _data(site, found))["flow_run"] == [{"id": run_id}]


async def test_rows_are_counted(site: WebSite) -> None:
    flow_id = await _flow(site, "etl", **ETL_TASKS)
    for fail in (False, True):
        await play_etl(site.history, flow_id, fail=fail, children=1)
    await site.history.agent("river-1")
    await site.page("/")

    counts = await _data(
        site,
        """{ project_aggregate { aggregate { count } } flow_aggregate { aggregate { count } } flow_group_aggregate { aggregate { count } }
        flow_run_aggregate(where: {state: {_eq: "Failed"}}) { aggregate { count } } task_aggregate { aggregate { count } }
        task_run_aggregate(where: {state: {_eq: "Failed"}}) { aggregate { count } } agent_aggregate { aggregate { count } }
        log_aggregate(where: {level: {_gte: "ERROR"}}) { aggregate { count } } }""",
    )

    assert {name: found["aggregate"]["count"] for name, found in counts.items()} == {
        "project_aggregate": 1,
        "flow_aggregate": 1,
        "flow_group_aggregate": 1,
        "flow_run_aggregate": 1,
        "task_aggregate": 5,
        "task_run_aggregate": 1,
        "agent_aggregate": 1,
        "log_aggregate": 1,
    }


_VALUES = {
    "uuid": '"0197a3c1-0b2c-7d3e-8f40-5a6b7c8d9e0f"', "text": '"a%"', "level": '"INFO"', "int": "1", "bool": "true",
    "time": '"2026-01-01T00:00:00Z"', "text[]": '["a"]',
}  # fmt: skip
_COMPARED = ("_eq", "_neq", "_gt", "_gte", "_lt", "_lte")
_LISTED = ("_in", "_nin")
_OPERATORS = {
    "uuid": (*_COMPARED, *_LISTED), "text": (*_COMPARED, *_LISTED, "_like", "_nlike", "_ilike", "_nilike"), "level": (*_COMPARED, *_LISTED),
    "int": (*_COMPARED, *_LISTED), "bool": ("_eq", "_neq"), "time": (*_COMPARED, *_LISTED), "text[]": ("_eq", "_neq", "_contains"),
}  # fmt: skip


_TABLES = (
    columns.PROJECT, columns.FLOW, columns.FLOW_GROUP, columns.FLOW_RUN, columns.TASK_RUN, columns.TASK, columns.LOG, columns.AGENT,
    columns.SCHEDULE,
)  # fmt: skip


def _conditions(table: columns.Columns) -> list[str]:
    own = [
        f"{{{column}: {{{operator}: {f'[{_VALUES[kind]}]' if operator in _LISTED else _VALUES[kind]}}}}}"
        for column, (kind, _) in table.own.items()
        for operator in _OPERATORS[kind]
    ]
    null = [f"{{{column}: {{_is_null: {truth}}}}}" for column in table.own for truth in ("true", "false")]
    return [*own, *null, *(f"{{{name}: {each}}}" for name, other in table.relations.items() for each in _conditions(other))]


async def test_every_operator_of_every_column_and_every_order_is_answered(site: WebSite) -> None:
    for table in _TABLES:
        asked = [f"where: {{_and: [{each}], _or: [{each}], _not: {each}}}" for each in _conditions(table)]
        asked += [f"order_by: {{{column}: {order.value}}}" for column in table.own for order in Order]
        for start in range(0, len(asked), 60):
            fields = [f"q{number}: {table.name}({each}) {{ __typename }}" for number, each in enumerate(asked[start : start + 60])]
            assert set(map(len, (await _data(site, f"{{ {' '.join(fields)} }}")).values())) == {0}


async def test_hello_api_agents_and_flow_groups(site: WebSite) -> None:
    await _flow(site)
    await _flow(site)
    await site.history.agent("river-1", ["river"])
    await site.page("/")

    data = await _data(
        site,
        "{ hello api { backend } agent { name type labels last_queried } flow_group { name flows { version archived } } flow { version } }",
    )

    assert data["agent"] == [{"name": "river-1", "type": "local", "labels": ["river"], "last_queried": None}]
    assert data["flow_group"] == [{"name": "hello-flow", "flows": [{"version": 2, "archived": False}, {"version": 1, "archived": True}]}]
    assert len(data["flow"]) == 2


async def test_a_run_is_cancelled_and_renamed_and_logs_are_written(site: WebSite) -> None:
    run = await site.history.run(await _flow(site))
    variables = {"id": run.run_id}

    await _data(site, 'mutation($id: UUID!) { set_flow_run_name(input: {flow_run_id: $id, name: "n"}) { success } }', variables=variables)
    logged = (
        'mutation($id: UUID!) { write_run_logs(input: {logs: [{flow_run_id: $id, message: "hi", level: "ERROR", name: "x"}]}) { success } }'
    )
    await _data(site, logged, variables=variables)
    cancelled = await _data(site, "mutation($id: UUID!) { cancel_flow_run(input: {flow_run_id: $id}) { state } }", variables=variables)

    assert cancelled["cancel_flow_run"] == {"state": "Cancelled"}
    assert [(line.level, line.message) for message in await site.log.logs.read(run.run_id) for line in message.lines] == [(40, "hi")]
    assert (await _data(site, "query($id: UUID!) { flow_run_by_pk(id: $id) { name state } }", variables=variables))["flow_run_by_pk"] == {
        "name": "n",
        "state": "Cancelled",
    }


async def test_a_flow_is_registered_archived_and_deleted(site: WebSite) -> None:
    project_id = await site.history.project("tutorial")
    serialized = {
        "name": "by-hand",
        "tasks": [{"slug": "a-1", "name": "a"}, {"slug": "b-1", "name": "b"}],
        "edges": [{"upstream": "a-1", "downstream": "b-1", "key": "x"}],
        "parameters": [{"name": "p", "default": 1}],
        "storage": {"type": "Local", "location": "/flows/by-hand"},
        "run_config": {"labels": ["river"]},
    }
    packed = base64.b64encode(gzip.compress(json.dumps(serialized).encode())).decode()
    create = "mutation($flow: JSON!, $project: UUID!) { create_flow(input: {serialized_flow: $flow, project_id: $project}) { id } }"
    unpack = (
        "mutation($flow: String!, $project: UUID!) { create_flow_from_compressed_string"
        "(input: {serialized_flow: $flow, project_id: $project}) { id } }"
    )

    first = (await _data(site, create, variables={"flow": serialized, "project": project_id}))["create_flow"]["id"]
    second = (await _data(site, unpack, variables={"flow": packed, "project": project_id}))["create_flow_from_compressed_string"]["id"]
    flows = (await _data(site, "{ flow(order_by: {version: asc}) { id archived labels flow_group_id edges { key } } }"))["flow"]

    assert [(flow["id"], flow["archived"]) for flow in flows] == [(first, True), (second, False)]
    assert flows[0]["edges"] == [{"key": "x"}]
    assert flows[0]["labels"] == ["river"]
    await _data(site, "mutation($id: UUID!) { archive_flow(input: {flow_id: $id}) { success } }", variables={"id": second})
    assert (await _data(site, "{ flow(where: {archived: {_eq: false}}) { id } }"))["flow"] == []
    group = flows[0]["flow_group_id"]
    await _data(site, "mutation($id: UUID!) { delete_flow_group(input: {flow_group_id: $id}) { success } }", variables={"id": group})
    assert (await _data(site, "{ flow { id } }"))["flow"] == []


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("{ nonsense }", "Cannot query field 'nonsense'"),
        ("{ flow_run(limit: 100000) { id } }", "limit is a number from 0 to 1000"),
        ('{ flow_run_by_pk(id: "x") { id } }', "is not a valid id"),
        ("{ flow_run(where: {name: {_eq: null}}) { id } }", "was given as null"),
        ('{ log(where: {level: {_eq: "LOUD"}}) { message } }', "'LOUD' is not a level"),
        ('mutation { create_project(input: {name: ""}) { id } }', "cannot be empty"),
        ("mutation { create_flow_run(input: {}) { id } }", "Which flow is to run was not said"),
        ('mutation { create_flow_run(input: {flow_id: "00000000-0000-8000-8000-000000000001"}) { id } }', "not found"),
        ('mutation { cancel_flow_run(input: {flow_run_id: "00000000-0000-8000-8000-000000000001"}) { state } }', "not found"),
        (
            'mutation { create_flow(input: {serialized_flow: "[]", project_id: "00000000-0000-8000-8000-000000000001"}) { id } }',
            "not a serialised flow",
        ),
        ("{ flow { " + "flow_runs { flow { " * 6 + "name" + " } }" * 6 + " } }", "depth of 13"),
        ("{ " + " ".join(f"a{number}: hello" for number in range(1200)) + " }", "more than 1000 fields"),
        ("{ ...A } fragment A on query_root { hello ...A }", "Cannot spread fragment"),
        ("{ hello " + "hello " * 6000 + "}", "token"),
    ],
)
async def test_what_cannot_be_is_refused_in_words(site: WebSite, query: str, words: str) -> None:
    answer = await site.graphql(query)

    assert words.lower() in json.dumps(answer["errors"]).lower(), answer


async def test_an_operation_that_asks_too_much_is_stopped(site: WebSite) -> None:
    flow_id = await _flow(site)
    for _ in range(50):
        await site.history.run(flow_id)
    await site.page("/")
    inner = "states { state } task_runs { states { state } %s }"
    nested = "{ flow_run { %s } }" % inner % "flow_run { %s logs { level } }" % inner % "id"  # noqa: UP031

    answer = await site.graphql(nested)

    assert "more than 300 times" in json.dumps(answer["errors"])


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"[]", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"query": 7}', {}, 400),
        (b'{"query": "{ hello }", "variables": "{"}', {}, 400),
        (b'{"query": "{ hello }", "variables": [1]}', {}, 400),
        (b'{"query": "{ hello }", "operationName": 1}', {}, 400),
        (b'{"query": "{ hello }"}', {"Content-Type": "text/plain"}, 400),
        (b'{"query": "{ hello }"}', {"Content-Type": "application/x-www-form-urlencoded"}, 400),
        (b'{"query": "{ hello }"}', {"Origin": "https://evil.example"}, 403),
        (b'{"query": "' + b"x" * 6_000_000 + b'"}', {}, 413),
        (b'{"query": "\xff\xfe"}', {}, 400),
        (b'{"query": "{ hello }", "variables": null, "operationName": ""}', {}, 200),
    ],
)
async def test_requests_that_are_none_are_refused(site: WebSite, content: bytes, headers: dict[str, str], status: int) -> None:
    answer = await site.client.post("/graphql", content=content, headers={"Content-Type": "application/json", **headers})

    assert answer.status_code == status, answer.text[:200]


async def test_the_explorer_shows_the_schema(site: WebSite) -> None:
    page = await site.page("/graphql")

    assert "type mutation_root" in page
    assert "create_flow_run_input" in page


async def test_the_python_client_sends_operations_and_gives_answers_with_attributes(
    site: WebSite, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    flow_id = await _flow(site)
    monkeypatch.setenv("HEADWATER_UI_URL", site.url)

    def ask() -> None:
        with Client(nats_url) as client:
            made = client.graphql('mutation { create_flow_run(input: { flow_id: "%s" }) { id } }' % flow_id)  # noqa: UP031 - braces
            assert made.data.create_flow_run.id == made["data"]["create_flow_run"]["id"]
            field = with_args("flow", {"where": {"name": {"_eq": "hello-flow"}}, "order_by": {"created": EnumValue("desc")}, "limit": 1})
            assert client.graphql({"query": {field: {"id", "name"}}}).data.flow[0].id == flow_id
            named = client.graphql("query($id: UUID!) { flow_by_pk(id: $id) { name } }", variables={"id": flow_id})
            assert named.data.flow_by_pk.name == "hello-flow"
            with pytest.raises(GraphQLError, match="nonsense"):
                client.graphql("{ nonsense }")
            assert "nonsense" in client.graphql("{ nonsense }", raise_on_error=False).errors[0].message

    await anyio.to_thread.run_sync(ask)


def test_the_python_client_says_where_no_server_answers(nats_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_UI_URL", "http://127.0.0.1:9")

    with Client(nats_url) as client, pytest.raises(ViewsUnavailable, match=r"no server answers GraphQL at http://127\.0\.0\.1:9"):
        client.graphql("{ hello }")
