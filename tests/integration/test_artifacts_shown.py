"""Artifacts as people see them: on pages, in GraphQL, on the command line, in the audit trail; hostile ones, too."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from harness.command_line import CommandLine
from harness.history_builder import PlayedRun, chain
from harness.servers import Postgres
from harness.views_fixtures import hosted, rows_of_a_fresh_fold, rows_of_views
from harness.web_site import WebSite, fresh_site

from headwater import audit
from headwater.core.aggregates import Actor
from headwater.core.errors import IllegalTransition
from headwater.core.events import TaskRunArtifactCreated, TaskRunArtifactUpdated
from headwater.core.operations.headwater import Headwater
from headwater.core.queries import ArtifactRow, ListArtifacts
from headwater.core.queries.views_client import ViewsClient
from headwater.core.values.identifiers import task_run_address, task_run_path

ANA = Actor("ana@desk")


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


@pytest.fixture
async def played(site: WebSite) -> PlayedRun:
    await site.history.project("tutorial")
    flow = await site.history.flow("etl", project="tutorial", **chain(["load", "store"], mapped=["store"]))
    played = await site.history.run(flow.flow_id, name="quiet-heron")
    await played.claim()
    await played.start()
    await played.started("load-1")
    await played.succeeded("load-1")
    await played.finish()
    return played


async def leave(site: WebSite, played: PlayedRun, kind: str, data: dict[str, Any], *, slug: str = "load-1", index: int = -1) -> str:
    return (await Headwater(site.log, ANA).artifacts.create(played.run_id, slug, index, kind, data)).id


async def test_the_page_of_a_task_run_shows_what_it_left_and_follows_its_changes(site: WebSite, played: PlayedRun) -> None:
    address = f"/default/task-run/{played.run_id}/load-1"
    async with site.open_page(address) as page:
        link = await leave(site, played, "link", {"link": "https://example.com/a?b=1&c"})
        await page.until('href="https://example.com/a?b=1&amp;c"', in_part="live_artifacts")
        await leave(site, played, "markdown", {"markdown": "# Rows\n\n**7** of 9\n\n|a|b|\n|-|-|\n|1|2|"})
        html = await page.until("<h1>Rows</h1>", in_part="live_artifacts")
        assert "<strong>7</strong>" in html
        assert "<td>2</td>" in html
        await Headwater(site.log, ANA).artifacts.update(link, {"link": "/default/runs"})
        await page.until('href="/default/runs"', in_part="live_artifacts")
        await Headwater(site.log, ANA).artifacts.delete(link)
        while "/default/runs" in await page.until("<h1>Rows</h1>", in_part="live_artifacts"):
            await page._next()


async def test_the_run_shows_the_artifacts_of_all_its_tasks_and_a_mapped_task_those_of_its_children(
    site: WebSite, played: PlayedRun
) -> None:
    assert "create_markdown_artifact" in await site.page(f"/default/flow-run/{played.run_id}?tab=artifacts")
    await leave(site, played, "table", {"columns": ["name", "rows"], "rows": [["<b>", 1], [None, 2.5]]})
    await leave(site, played, "link", {"link": "/x"}, slug="store-1", index=0)
    await leave(site, played, "link", {"link": "/y"}, slug="store-1", index=1)

    whole = await site.page(f"/default/flow-run/{played.run_id}?tab=artifacts")
    assert "<th>name</th>" in whole
    assert "<td>&lt;b&gt;</td><td>1</td>" in whole
    assert f'/default/task-run/{played.run_id}/store-1?index=1"' in whole
    mapped = await site.page(f"/default/task-run/{played.run_id}/store-1")
    assert ('href="/x"' in mapped, 'href="/y"' in mapped, "<th>name</th>" in mapped) == (True, True, False)


HOSTILE_LINKS = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "//evil.example",
    "/\\evil.example",
    " https://spaces.example",
    "https:evil",
    "http://[broken",
    "file:///etc/passwd",
    "s3://bucket/key",
    'https://x.example" onclick="alert(1)',
]


async def test_a_link_that_a_browser_must_not_follow_is_text(site: WebSite, played: PlayedRun) -> None:
    for link in HOSTILE_LINKS:
        await leave(site, played, "link", {"link": link})
        await leave(site, played, "markdown", {"markdown": f"[x](<{link}>) ![y](<{link}>) <{link}>"})

    html = await site.page(f"/default/task-run/{played.run_id}/load-1")
    shown = html[html.index('id="live_artifacts"') : html.index('class="card logs"')]
    followed = {unescape(address) for address in re.findall(r'href="([^"]*)"', shown)}
    # What Markdown encodes is an address of the web, or a path of this site.
    assert followed <= {"/%5Cevil.example", "http://%5Bbroken", "https://spaces.example", "https://x.example%22%20onclick=%22alert(1)"}
    assert not re.search(r"<[^>]*\son\w+=", shown)
    assert "javascript:alert(1)" in shown


HOSTILE_TEXTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "x\n\n<iframe src='//evil'></iframe>\n\ny",
    "<svg/onload=alert(1)>",
    '![" onerror="alert(1)](data:image/png;base64,AAAA" onerror="alert(1))',
    "[x]: javascript:alert(1)\n\n[x]",
    "[a](javascript&colon;alert(1)) [b](java&#10;script:alert(1)) [c](&#x6A;avascript:alert(1))",
    "```html\n<script>alert(1)</script>\n```",
    "<style>*{display:none}</style>",
    "\x1b[31mred\x1b[0m \x00\x07\u202eright to left",
]


async def test_markdown_does_no_harm(site: WebSite, played: PlayedRun) -> None:
    for text in HOSTILE_TEXTS:
        await leave(site, played, "markdown", {"markdown": text})

    html = await site.page(f"/default/task-run/{played.run_id}/load-1")
    shown = html[html.index('id="live_artifacts"') : html.index('class="card logs"')]
    assert not re.search(r"<(script|iframe|svg|style)|<[^>]*\son\w+=|href=\"(java|data|vb)", shown)
    assert not re.search("[\x00\x07\x1b\u202e]", shown)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize("text", ["[" * 60_000, "![" * 30_000, "*a " * 20_000, "> " * 30_000, "|a" * 30_000 + "\n" + "|-" * 100])
async def test_huge_texts_and_tables_are_shown(site: WebSite, played: PlayedRun, text: str) -> None:
    await leave(site, played, "markdown", {"markdown": text})
    await leave(site, played, "table", {"columns": ["n"], "rows": [[number] for number in range(8_000)]})

    html = await site.page(f"/default/task-run/{played.run_id}/load-1")
    assert "7\N{NARROW NO-BREAK SPACE}500 rows more" in html
    assert html.count("<tr>") < 1_200


async def test_a_page_of_very_many_large_artifacts_shows_the_first_of_them(site: WebSite, played: PlayedRun) -> None:
    for number in range(12):
        await leave(site, played, "markdown", {"markdown": f"# number {number}\n\n" + "words " * 10_000})

    html = await site.page(f"/default/task-run/{played.run_id}/load-1")
    assert html.count("<h1>number ") == 8
    assert html.count("too much for this page") == 4


async def test_prefects_names_create_find_update_and_delete_artifacts(site: WebSite, played: PlayedRun) -> None:
    task_run_id = f"{played.run_id}:-1:load-1"
    mutation = "mutation($input: create_task_run_artifact_input!) { create_task_run_artifact(input: $input) { id } }"
    answer = await site.graphql(mutation, variables={"input": {"task_run_id": task_run_id, "kind": "link", "data": {"link": "/x"}}})
    artifact_id = answer["data"]["create_task_run_artifact"]["id"]
    mutation = "mutation($input: update_task_run_artifact_input!) { update_task_run_artifact(input: $input) { success } }"
    answer = await site.graphql(mutation, variables={"input": {"task_run_artifact_id": artifact_id, "data": {"link": "/y"}}})
    assert answer["data"] == {"update_task_run_artifact": {"success": True}}

    query = """query($id: String!) { task_run_artifact(where: { task_run_id: { _eq: $id } }) { id kind data task_run_id flow_run_id }
        task_run { artifacts { id } } task_run_artifact_aggregate { aggregate { count } } }"""
    found = (await site.graphql(query, variables={"id": task_run_id}))["data"]
    assert found["task_run_artifact"] == [
        {"id": artifact_id, "kind": "link", "data": {"link": "/y"}, "task_run_id": task_run_id, "flow_run_id": played.run_id}
    ]
    assert found["task_run"] == [{"artifacts": [{"id": artifact_id}]}]
    assert found["task_run_artifact_aggregate"]["aggregate"]["count"] == 1
    in_python = {"id": f"{played.run_id}/load-1/-1"}
    assert (await site.graphql(query, variables=in_python))["data"] == found
    listed = "query($id: String!) { task_run_artifact(where: { task_run_id: { _in: [$id] } }) { id } }"
    assert (await site.graphql(listed, variables=in_python))["data"] == {"task_run_artifact": [{"id": artifact_id}]}
    by_python = {"input": {"task_run_id": in_python["id"], "kind": "link", "data": {"link": "/x"}}}
    creation = "mutation($input: create_task_run_artifact_input!) { create_task_run_artifact(input: $input) { id } }"
    assert (await site.graphql(creation, variables=by_python))["data"]["create_task_run_artifact"]["id"].startswith(played.run_id)
    refused = await site.graphql(creation, variables={"input": by_python["input"] | {"task_run_id": "load-1"}})
    assert "'load-1' is not the id of a task run" in refused["errors"][0]["message"]
    deletion = "mutation($id: String!) { delete_task_run_artifact(input: { task_run_artifact_id: $id }) { success } }"
    given = {"id": artifact_id}
    assert (await site.graphql(deletion, variables=given))["data"] == {"delete_task_run_artifact": {"success": True}}
    assert (await site.graphql(deletion, variables=given))["errors"][0]["extensions"]["code"] == "NotFound"
    bad = await site.graphql(mutation, variables={"input": {"task_run_artifact_id": "x", "data": {"link": "/y"}}})
    assert "is not the id of an artifact" in bad["errors"][0]["message"]


async def test_a_deleted_run_takes_its_artifacts_along(site: WebSite, played: PlayedRun) -> None:
    artifact_id = await leave(site, played, "link", {"link": "/x"})
    await site.press(f"/default/flow-run/{played.run_id}/delete", reason="a trial")
    tail = (await site.log.events.tail()).position

    assert await ViewsClient(site.log).ask(ListArtifacts(run_id=played.run_id), ArtifactRow, at_least=tail) == []
    with pytest.raises(IllegalTransition, match="was deleted"):
        await Headwater(site.log, ANA).artifacts.update(artifact_id, {"link": "/y"})


async def test_a_rebuild_the_audit_and_the_command_line_tell_the_same(  # noqa: PLR0917 - fixtures
    site: WebSite, played: PlayedRun, database_url: str, postgres_server: Postgres, nats_url: str, tmp_path: Path
) -> None:
    first = await leave(site, played, "markdown", {"markdown": "# Rows\n\x1b[31mred\0"})
    await Headwater(site.log, ANA).artifacts.update(first, {"markdown": "# Seven\n\x1b[2Jrows"})
    await leave(site, played, "table", {"columns": ["name", "rows"], "rows": [["load", 7], ["store", None]]})
    gone = await leave(site, played, "link", {"link": "/x"})
    await Headwater(site.log, ANA).artifacts.delete(gone)
    await site.page("/")

    assert await rows_of_views(database_url) == await rows_of_a_fresh_fold(site.log, postgres_server)
    (facts,) = (await audit.replay_run(site.log.events, played.run_id)).runs
    assert sorted(facts["artifacts"].values()) == ["markdown of load-1", "table of load-1"]
    headwater = CommandLine(tmp_path / "desk", nats_url=nats_url)

    def typed() -> None:
        told = headwater("describe", "task-run", "quiet-heron", "load").out
        assert "Markdown artifact" in told
        assert "# Seven\n\\u001b[2Jrows" in told
        assert re.search(r"name +rows\nload +7\nstore +-\n", told)
        listed = headwater("describe", "task-run", "quiet-heron", "load-1", "-o", "json").json
        assert [each["kind"] for each in listed["artifacts"]] == ["markdown", "table"]
        for written in (task_run_address, task_run_path):
            assert headwater("describe", "task-run", written(listed["run_id"], "load-1", -1), "-o", "json").json == listed
        alone = headwater("describe", "task-run", "quiet-heron")
        assert (alone.code, "is not the id of a task run" in alone.err, "Name its task" in alone.err) == (1, True, True)
        missing = headwater("describe", "task-run", "quiet-heron", "nope")
        assert (missing.code, "Task run 'nope' not found" in missing.err) == (1, True)
        events = headwater("events", "quiet-heron").out
        assert "task load-1 made the markdown artifact '# Rows" in events
        assert "task load-1 made the table artifact of 2 rows" in events
        assert "task load-1 changed an artifact to '# Seven" in events
        assert "task load-1 deleted the artifact" in events

    await anyio.to_thread.run_sync(typed)


async def test_an_artifact_that_a_stranger_wrote_is_shown_as_what_it_is(site: WebSite, played: PlayedRun) -> None:
    place: dict[str, Any] = {"slug": "load-1", "at": ANA.clock(), "artifact_id": played.run_id}
    odd: list[tuple[str, dict[str, Any]]] = [
        ("link", {"link": 7}),
        ("image", {"x": "<b>"}),
        ("table", {"columns": 1, "rows": "x"}),
        ("markdown", {}),
    ]
    run = played.aggregate
    for number, (kind, data) in enumerate(odd):
        event = TaskRunArtifactCreated(**{**place, "artifact_id": f"{played.run_id[:-1]}{number}"}, kind=kind, data=data)
        await run.refresh()
        run.position = await site.log.events.append(run.subject, ANA.commit([event]), expected=run.position)
    update = TaskRunArtifactUpdated(**{**place, "artifact_id": f"{played.run_id[:-1]}9"}, data={"link": "/never made"})
    await site.log.events.append(run.subject, ANA.commit([update]), expected=run.position)

    html = await site.page(f"/default/task-run/{played.run_id}/load-1")
    assert "{&#39;x&#39;: &#39;&lt;b&gt;&#39;}" in html
    assert (await ViewsClient(site.log).status()).set_aside_count == 0
