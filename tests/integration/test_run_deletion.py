"""A run that was deleted is gone from lists and counts, and its page and its events still tell what happened."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from harness.history_builder import PlayedRun, chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.audit.verify import verify
from headwater.core.errors import IllegalTransition, NotFound
from headwater.core.operations.headwater import Headwater
from headwater.core.queries.views_client import ViewsClient


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _run(site: WebSite, name: str) -> PlayedRun:
    await site.history.project("tutorial")
    flow = await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]))
    return await site.history.run(flow.flow_id, name=name)


async def _finished_run(site: WebSite, name: str) -> PlayedRun:
    played = await _run(site, name)
    await played.claim()
    await played.start()
    await played.started("say_hello-1")
    await played.succeeded("say_hello-1")
    await played.finish()
    return played


async def test_a_deleted_run_leaves_lists_and_counts_and_its_page_tells_who_did_it(site: WebSite) -> None:
    kept, gone = await _finished_run(site, "quiet-heron"), await _finished_run(site, "loud-heron")
    path = f"/default/flow-run/{gone.run_id}"
    async with site.open_page("/default/runs") as runs:
        assert "loud-heron" in runs.html
        answer = await site.press(f"{path}/delete", reason="a <trial>")
        while "loud-heron" in await runs.until("quiet-heron"):
            await runs._next()

    assert (answer.status_code, answer.headers["location"].endswith("?tab=runs")) == (303, True)
    views, tail = ViewsClient(site.log), (await site.log.events.tail()).position
    assert [row.id for row in await views.runs(at_least=tail)] == [kept.run_id]
    assert await views.run_counts() == {"Success": 1}
    with pytest.raises(NotFound):
        await views.task_runs(gone.run_id)
    page = await site.page(f"{path}?tab=logs")
    for words in ("loud-heron", "deleted", "a &lt;trial&gt;", "web:127.0.0.1", "<code>run.created</code>", "<code>run.deleted</code>"):
        assert words in page
    query = """{ flow_run { name } flow_run_by_pk(id: "%s") { name } task_run { name } }"""
    assert (await site.graphql(query % gone.run_id))["data"] == {
        "flow_run": [{"name": "quiet-heron"}],
        "flow_run_by_pk": None,
        "task_run": [{"name": "say_hello"}],
    }
    by = site.history.actor()
    with pytest.raises(IllegalTransition, match="was deleted"):
        await Headwater(site.log, by).runs.rename(gone.run_id, "x")
    with pytest.raises(IllegalTransition, match="was deleted"):
        await Headwater(site.log, by).runs.restart(gone.run_id, from_task="say_hello")
    violations = (await verify(site.log, wake_ups=False)).violations
    assert [each for each in violations if tail in each.positions] == []


async def test_only_a_run_that_has_ended_is_deleted_and_only_once(site: WebSite) -> None:
    played = await _run(site, "quiet-heron")
    mutation = f'mutation {{ delete_flow_run(input: {{ flow_run_id: "{played.run_id}" }}) {{ success }} }}'
    path = f"/default/flow-run/{played.run_id}"

    (refused,) = (await site.graphql(mutation))["errors"]
    assert refused["message"] == "The run is Scheduled; only a run that has ended can be deleted."
    assert refused["extensions"]["hint"] == "Cancel it first."
    assert 'popovertarget="delete-run">Delete<' not in await site.page(path)
    await site.press(f"{path}/cancel")
    assert 'popovertarget="delete-run">Delete<' in await site.page(path)
    for _ in range(2):
        assert (await site.graphql(mutation))["data"] == {"delete_flow_run": {"success": True}}
    assert len([each async for batch in site.log.events.read_all() for each in batch if b"run.deleted" in each.data]) == 1
