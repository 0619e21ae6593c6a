"""Keys of projects and their values: set and found from scripts, runs, the command line, GraphQL and pages, on a real log."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncIterator, Callable
from html import unescape
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.to_thread
import asyncpg
import pytest
from harness.agent_harness import AgentHarness, agent_harness, running_agent
from harness.command_line import CommandLine
from harness.servers import NatsNode, Postgres
from harness.views_fixtures import hosted, rows_of_a_fresh_fold, rows_of_views
from harness.web_site import WebSite, fresh_site

from headwater import audit
from headwater.core.aggregates import Actor
from headwater.core.errors import InvalidArgument, InvalidKeyValue, KeyNotFound, NotFound
from headwater.core.key_values.commands import DeleteKeyValue, SetKeyValue
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.log.memory import MemoryLog
from headwater.core.log.protocol import LogTail, Recorded
from headwater.core.operations import key_values
from headwater.core.operations.headwater import Headwater
from headwater.core.states import StateName
from headwater.core.values.identifiers import key_value_id
from headwater.projections.apply import Applier
from headwater.projections.schema import create_build, create_meta_schema, write_into
from headwater.sdk.backend import delete_key, get_key_value, list_keys, set_key_value
from headwater.sdk.backend.kv_store import set_key_value as the_same_function
from headwater.sdk.executors import DaskExecutor, Executor, LocalExecutor, ProcessExecutor
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

T = TypeVar("T")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HEADWATER_ACTOR", "ana@desk")
    return tmp_path / "home"


@pytest.fixture
async def site(nats_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WebSite]:
    monkeypatch.setenv("HEADWATER_NATS_URL", nats_url)
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


@pytest.fixture
async def project_id(site: WebSite) -> str:
    return await site.history.project("etl")


async def in_thread(function: Callable[..., T], *arguments: Any) -> T:
    return await anyio.to_thread.run_sync(lambda: function(*arguments))


@pytest.mark.parametrize("value", ["2026-11-26", 1, 1.5, None, True, [], {"a": [1, {"b": "Grüße"}]}, "5", "x" * 9_998])
async def test_a_value_comes_back_as_it_was_set(site: WebSite, project_id: str, value: Any) -> None:
    pair_id = await in_thread(set_key_value, "last/day", value, "etl")

    found = await in_thread(get_key_value, "last/day", "etl")
    assert (found, type(found)) == (value, type(value))
    assert pair_id == key_value_id(project_id, "last/day")
    assert await in_thread(set_key_value, "last/day", "another", "etl") == pair_id


async def test_a_caller_that_sets_deletes_and_lists_sees_it_at_once(site: WebSite, project_id: str) -> None:
    def script() -> None:
        for number in range(20):
            set_key_value(f"key {number}", number, "etl")
            assert get_key_value(f"key {number}", "etl") == number
            assert f"key {number}" in list_keys("etl")
        assert list_keys("etl") == sorted(f"key {number}" for number in range(20))
        assert delete_key("key 3", "etl") is True
        assert "key 3" not in list_keys("etl")
        with pytest.raises(ValueError, match="No value found for key 'key 3' in project 'etl'"):
            get_key_value("key 3", "etl")
        with pytest.raises(KeyNotFound):
            delete_key("key 3", "etl")

    assert the_same_function is set_key_value
    await in_thread(script)


async def test_what_json_makes_of_a_value_is_stored(site: WebSite, project_id: str) -> None:
    class Number(float):
        """As those of NumPy are."""

    await in_thread(set_key_value, "most", {1: Number(2.5), "pair": (1, 2)}, "etl")

    assert await in_thread(get_key_value, "most", "etl") == {"1": 2.5, "pair": [1, 2]}


@pytest.mark.parametrize(("key", "value"), [("day", float("nan")), ("day", object()), ("day", "x" * 9_999), ("a\nb", 1), ("", 1)])
async def test_nothing_is_written_where_a_key_or_a_value_is_refused(site: WebSite, project_id: str, key: str, value: Any) -> None:
    before = await site.log.events.tail()

    with pytest.raises(ValueError, match=r"key|value"):
        await in_thread(set_key_value, key, value, "etl")
    assert await site.log.events.tail() == before


async def test_which_project_is_meant_must_be_said_outside_of_runs(site: WebSite, project_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidArgument, match="Which project's keys are meant"):
        await in_thread(get_key_value, "day")
    with pytest.raises(NotFound, match="Project 'nope' not found"):
        await in_thread(set_key_value, "day", 1, "nope")

    monkeypatch.setenv("HEADWATER_PROJECT", "etl")
    await in_thread(set_key_value, "day", 1)
    assert await in_thread(list_keys) == ["day"]
    await site.history.project("other")
    assert await in_thread(list_keys, "other") == []


async def test_all_who_set_a_key_at_once_succeed_in_some_order(nats_url: str) -> None:
    async with open_log(nats_url, ensure_streams=True) as log, open_log(nats_url) as other:
        actor = Actor("test")
        project_id = (await Headwater(log, actor).projects.create("etl")).project_id

        async def set_it(number: int) -> None:
            assert (await Headwater((log, other)[number % 2], actor).key_values.set(project_id, "day", number)).changed

        async with anyio.create_task_group() as group:
            for number in range(150):
                group.start_soon(set_it, number)

        recorded = await log.events.read(subjects.key_value(key_value_id(project_id, "day")))
        values = [event.value for each in recorded for event in each.events]  # type: ignore[union-attr]
        assert sorted(values) == list(range(150))
        assert await Headwater(other, actor).key_values.get(project_id, "day") == values[-1]


async def test_a_deleted_project_takes_its_keys_along_and_its_name_begins_empty(site: WebSite, project_id: str) -> None:
    await in_thread(set_key_value, "day", 1, "etl")
    await Headwater(site.log, Actor("test")).projects.delete(project_id)

    with pytest.raises(NotFound, match="Project 'etl' not found"):
        await Headwater(site.log, Actor("test")).key_values.set(project_id, "day", 2)
    with pytest.raises(NotFound, match="Project 'etl' not found"):
        await Headwater(site.log, Actor("test")).key_values.delete_by_id(key_value_id(project_id, "day"))
    await site.history.project("etl")
    assert await in_thread(list_keys, "etl") == []
    with pytest.raises(KeyNotFound):
        await in_thread(get_key_value, "day", "etl")


async def test_the_audit_and_a_rebuild_agree_with_what_is_shown(site: WebSite, database_url: str, postgres_server: Postgres) -> None:
    project_id = await site.history.project("etl")
    for key, value in (("a", 1), ("b", "x\0y"), ("a", 2), ("c", [None])):
        await Headwater(site.log, Actor("test")).key_values.set(project_id, key, value)
    before = (await site.log.events.tail()).position
    await Headwater(site.log, Actor("test")).key_values.delete(project_id, "c")
    await site.page("/")

    assert await rows_of_views(database_url) == await rows_of_a_fresh_fold(site.log, postgres_server)
    assert (await audit.verify(site.log)).violations == ()
    found = await audit.replay_project(site.log.events, "etl", as_of=before)
    assert {each["name"]: each["value"] for each in found.key_values} == {"a": 2, "b": "x\0y", "c": [None]}
    (change,) = await audit.diff(site.log.events, before, None)
    assert (change.kind, change.name, change.fields["deleted"]) == ("kv", "c", (False, True))


async def folded(database_url: str, batches: list[list[Recorded]]) -> list[Any]:
    db = await asyncpg.connect(database_url)
    try:
        await create_meta_schema(db)
        build = await create_build(db, LogTail("a log", batches[-1][-1].position))
        await write_into(db, build)
        applier = Applier(db, build)
        for batch in batches:
            await applier.apply(batch)
        assert await db.fetchval("SELECT count(*) FROM set_aside") == 0
        rows: list[Any] = await db.fetch("SELECT * FROM key_values ORDER BY id")
        return rows
    finally:
        await db.close()


async def test_how_the_log_is_cut_into_batches_changes_nothing_of_the_keys(database_url: str) -> None:
    source, log, actor = random.Random(7), MemoryLog(), Actor("test")
    projects = [(await Headwater(log, actor).projects.create(f"p{number}")).project_id for number in range(4)]
    for step in range(400):
        project_id, key = source.choice(projects), f"key {source.randrange(6)}"
        pair = key_values.key_value(log.events, key_value_id(project_id, key))
        if step == 250:
            await Headwater(log, actor).projects.delete(projects[0])
        # Past the check of the project, as one who was too late to know.
        await pair.execute(SetKeyValue(project_id, key, step), actor)
        if source.random() < 0.4:
            await pair.execute(DeleteKeyValue(key), actor)
    recorded = [each async for batch in log.events.read_all() for each in batch]

    one_by_one = await folded(database_url, [[each] for each in recorded])
    assert await folded(database_url, [recorded]) == one_by_one
    assert await folded(database_url, [recorded[:251], recorded[251:]]) == one_by_one
    assert {str(row["project_id"]) for row in one_by_one} == set(projects[1:])


@pytest.mark.parametrize("kind", ["local", "processes", "dask"])
@pytest.mark.filterwarnings("ignore")  # of Dask's own event loops
async def test_a_run_sets_and_finds_the_keys_of_its_project(nats_node: NatsNode, kind: str) -> None:
    executors: dict[str, Callable[[], Executor]] = {
        "local": LocalExecutor,
        "processes": lambda: ProcessExecutor(2),
        "dask": lambda: DaskExecutor(cluster_kwargs={"n_workers": 1, "threads_per_worker": 2}),
    }

    @task
    def count(x: int) -> int:
        set_key_value(f"seen {x}", x)
        return int(get_key_value(f"seen {x}"))

    @task
    def note(counts: list[int]) -> None:
        set_key_value("sum", sum(counts))

    with Flow("counts", executor=executors[kind]()) as flow:
        note(count.map([1, 2, 3]))

    async with agent_harness(nats_node.url) as harness, running_agent(nats_node.url):
        run_id = await harness.run(await harness.register(flow))
        ended = await harness.ended(run_id)

        assert ended.state is StateName.SUCCESS, await harness.lines(run_id)
        assert await _found(harness, "sum") == 6
        assert await _found(harness, "seen 2") == 2
        (recorded,) = await harness.log.events.read(subjects.key_value(key_value_id(_project_of(ended), "sum")))
        assert recorded.commit.actor == f"run:{run_id}#1"


def _project_of(run: Any) -> str:
    return str(run.created.project_id)


async def _found(harness: AgentHarness, key: str) -> Any:
    project_id = await Headwater(harness.log, Actor("test")).projects.create("tutorial", skip_if_exists=True)
    return await harness.client.headwater.key_values.get(project_id.project_id, key)


async def test_keys_are_set_listed_and_deleted_on_the_command_line(site: WebSite, project_id: str, nats_url: str, tmp_path: Path) -> None:
    headwater = CommandLine(tmp_path / "desk", nats_url=nats_url, HEADWATER_ACTOR="ana@desk")

    def typed() -> None:
        assert headwater("kv", "set", "last day", "2026-11-26", "-p", "etl").out == "last day: set.\n"
        assert headwater("kv", "set", "last day", "2026-11-26", "-p", "etl").out == "last day: it had this value before.\n"
        assert headwater("kv", "set", "a/b", '["ana", {"n": 1}]', "--project", "etl").code == 0
        assert headwater("kv", "get", "last day", "-p", "etl").out == "2026-11-26\n"
        assert headwater("kv", "get", "last day", "-p", "etl", "-o", "json").json == "2026-11-26"
        assert headwater("kv", "get", "a/b", "-p", "etl").json == ["ana", {"n": 1}]
        heading, first, second = headwater("kv", "list", "-p", "etl").out.splitlines()
        assert heading.split() == ["KEY", "VALUE", "UPDATED", "BY"]
        assert first.startswith('a/b       ["ana",{"n":1}]')
        assert second.startswith("last day  2026-11-26")
        assert [row["key"] for row in headwater("kv", "list", "-p", "etl", "-o", "json").json] == ["a/b", "last day"]
        assert headwater("kv", "delete", "a/b", "-p", "etl").out == "a/b: deleted.\n"
        gone = headwater("kv", "delete", "a/b", "-p", "etl")
        assert (gone.code, gone.err.splitlines()[0]) == (1, "Error: No value found for key 'a/b' in project 'etl'.")
        unsaid = headwater("kv", "list")
        assert (unsaid.code, "HEADWATER_PROJECT" in unsaid.err) == (1, True)
        broken = headwater("kv", "set", "x", "[1", "-p", "etl")
        assert "The value of key x is not JSON" in broken.err
        large = headwater("kv", "set", "x", "y" * 10_000, "-p", "etl")
        assert "has 10,002 characters as JSON; at most 10,000 are allowed" in large.err
        replayed = headwater("audit", "replay").out
        assert re.search(r"Key-values\nKEY +VALUE +DELETED +ID\nlast day +2026-11-26 +no", replayed)
        told = headwater("events").out
        assert "key last day" in told
        assert "key 'last day' was set to '2026-11-26'" in told
        assert "key 'a/b' was deleted" in told

    await in_thread(typed)


async def test_graphql_sets_finds_and_deletes_keys_by_prefects_names(site: WebSite, project_id: str) -> None:
    mutation = "mutation($input: set_key_value_input!) { set_key_value(input: $input) { id } }"
    values: dict[str, Any] = {"text": "5", "list": [1, None], "nothing": None, "JSON in a text": '{"a": 1}'}
    for key, value in values.items():
        answer = await site.graphql(mutation, variables={"input": {"project_id": project_id, "key": key, "value": value}})
        assert answer["data"]["set_key_value"]["id"] == key_value_id(project_id, key), answer

    query = '{ key_value(where: { project: { name: { _eq: "etl" } } }) { id key value project { name } } }'
    found = (await site.graphql(query))["data"]["key_value"]
    assert {each["key"]: each["value"] for each in found} == values
    one = await site.graphql('{ key_value(where: { key: { _eq: "list" } }) { value } key_value_aggregate { aggregate { count } } }')
    assert one["data"] == {"key_value": [{"value": [1, None]}], "key_value_aggregate": {"aggregate": {"count": 4}}}
    deletion = 'mutation { delete_key_value(input: { key_value_id: "%s" }) { success } }'
    text_id = key_value_id(project_id, "text")
    assert (await site.graphql(deletion % text_id))["data"] == {"delete_key_value": {"success": True}}
    assert (await site.graphql('{ key_value(where: { key: { _eq: "text" } }) { value } }'))["data"] == {"key_value": []}
    again = await site.graphql(deletion % text_id)
    assert again["errors"][0]["extensions"]["code"] == "KeyNotFound"
    refused = await site.graphql(mutation, variables={"input": {"project_id": project_id, "key": "a\tb", "value": 1}})
    assert "U+0009" in refused["errors"][0]["message"]
    assert refused["errors"][0]["extensions"]["code"] == InvalidKeyValue.__name__


async def test_the_page_of_a_project_shows_its_keys_as_they_are_set(site: WebSite, project_id: str) -> None:
    hostile = "<script>alert(1)</script>"
    address = f"/default/project/{project_id}"
    assert "set_key_value" in await site.page(address)
    async with site.open_page(address) as page:
        await Headwater(site.log, Actor("ana")).key_values.set(project_id, hostile, {"a": hostile, "b": "y" * 5000})
        shown = await page.until("&lt;script&gt;", in_part="live_keys")

    assert hostile not in shown
    assert unescape(shown).count(hostile) == 2
    assert "y" * 200 not in shown
