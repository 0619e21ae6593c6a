"""What is set for a flow over all its versions holds wherever a run is created, and shows wherever the flow is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from harness.history_builder import chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.events import ParameterSpec
from headwater.core.operations.run_lookup import load_run
from headwater.core.queries.views_client import ViewsClient

PARAMETERS = (ParameterSpec("day", required=True), ParameterSpec("limit", default=10), ParameterSpec("loud", default=False))


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _flow(site: WebSite, parameters: tuple[ParameterSpec, ...] = PARAMETERS) -> tuple[str, str]:
    await site.history.project("tutorial")
    made = await site.history.flow("etl", project="tutorial", parameters=parameters, labels=("laptop",), **chain(["say_hello"]))
    return made.flow_id, made.flow_group_id


async def _given(site: WebSite, run_id: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    created = (await load_run(site.log.events, run_id)).state.created
    return created.parameters, created.labels


async def _mutate(site: WebSite, mutation: str) -> Any:
    answer = await site.graphql(f"mutation {{ {mutation} }}")
    assert "errors" not in answer, answer
    return answer["data"]


async def test_given_goes_before_the_flow_and_the_flow_before_the_version_however_a_run_is_created(site: WebSite) -> None:
    flow_id, group_id = await _flow(site)
    parameters = '{ day: "today", limit: 0 }'
    await _mutate(
        site,
        f"""a: set_flow_group_default_parameters(input: {{ flow_group_id: "{group_id}", default_parameters: {parameters} }}) {{ success }}
        b: set_flow_group_labels(input: {{ flow_group_id: "{group_id}", labels: ["gpu"] }}) {{ success }}
        c: set_flow_group_description(input: {{ flow_group_id: "{group_id}", description: "Loads it." }}) {{ success }}""",
    )
    of_the_flow = {"day": "today", "limit": 0, "loud": False}

    quick = await site.press(f"/default/flow/{flow_id}/quick-run")
    assert await _given(site, quick.headers["location"].rsplit("/", 1)[1]) == (of_the_flow, ("gpu",))
    played = await site.history.run(group_id, parameters={"limit": 3}, labels=[])
    assert await _given(site, played.run_id) == ({**of_the_flow, "limit": 3}, ())
    mutation = f'create_flow_run(input: {{ flow_id: "{flow_id}", run_config: {{ type: "LocalRun", labels: ["mill"] }} }}) {{ id }}'
    made = await _mutate(site, mutation)
    assert await _given(site, made["create_flow_run"]["id"]) == (of_the_flow, ("mill",))
    fields = {"parameter:day": "today", "parameter:limit": "0", "parameter:loud": "true"}
    form = await site.press(f"/default/flow/{flow_id}/run", **fields)
    assert await _given(site, form.headers["location"].rsplit("/", 1)[1]) == ({**of_the_flow, "loud": True}, ("gpu",))

    second, _ = await _flow(site, (ParameterSpec("day", default="yesterday"),))
    assert await _given(site, (await site.history.run(second)).run_id) == ({"day": "today"}, ("gpu",))
    await _mutate(
        site,
        f"""a: set_flow_group_default_parameters(input: {{ flow_group_id: "{second}", default_parameters: {{}} }}) {{ success }}
        b: set_flow_group_labels(input: {{ flow_group_id: "{second}" }}) {{ success }}""",
    )
    assert await _given(site, (await site.history.run(second)).run_id) == ({"day": "yesterday"}, ("laptop",))


async def test_settings_show_on_pages_that_are_open_and_in_every_answer(site: WebSite) -> None:
    flow_id, group_id = await _flow(site)
    address = f"/default/flow/{flow_id}"
    async with site.open_page(address) as overview, site.open_page(f"{address}?tab=settings") as settings:
        await site.press(f"{address}/describe", description="Loads <it>.\r\nAsk Ana.")
        await overview.until("Loads &lt;it&gt;.\nAsk Ana.", in_part="live_about")
        await settings.until("Loads &lt;it&gt;.\nAsk Ana.", in_part="live_about")
        fields = {"parameter:day": "2026-01-01", "parameter:limit": "7", "parameter:loud": "", "own_labels": "1", "labels": "b, a"}
        answer = await site.press(f"{address}/defaults", **fields)
        assert answer.status_code == 303
        await overview.until("set for the flow", in_part="live_details")
        await settings.until('value="a, b"', in_part="live_defaults")

    run_tab = await site.page(f"{address}?tab=run")
    assert 'name="parameter:limit" inputmode="decimal" value="7"' in run_tab
    assert "disabled" not in run_tab.split("Quick run")[0].rsplit("<button", 1)[1]
    row = await ViewsClient(site.log).flow(flow_id)
    assert (row.description, row.labels, row.run_labels) == ("Loads <it>.\nAsk Ana.", ("laptop",), ("a", "b"))
    assert {each.name: each.default for each in row.run_parameters} == {"day": "2026-01-01", "limit": 7, "loud": False}
    query = """{ flow_group(where: { labels: { _contains: ["a"] } }) { id description labels default_parameters flows { labels } }
        flow { flow_group { name } } flow_group_by_pk(id: "%s") { labels } }"""
    found = (await site.graphql(query % group_id))["data"]
    (group,) = found["flow_group"]
    assert group == {
        "id": group_id,
        "description": "Loads <it>.\nAsk Ana.",
        "labels": ["a", "b"],
        "default_parameters": {"day": "2026-01-01", "limit": 7},
        "flows": [{"labels": ["laptop"]}],
    }
    assert found["flow"] == [{"flow_group": {"name": "etl"}}]
    assert found["flow_group_by_pk"] == {"labels": ["a", "b"]}

    await site.press(f"{address}/defaults", labels="a, b", **dict.fromkeys((f"parameter:{each.name}" for each in PARAMETERS), ""))
    row = await ViewsClient(site.log).flow(flow_id, at_least=(await site.log.events.tail()).position)
    assert (row.group_labels, row.default_parameters) == (None, {})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"parameter:nope": "1"}, "has no parameter &#39;nope&#39;"),
        ({"parameter:day": "[1"}, "is not JSON"),
        ({"parameter:day": "1", "own_labels": "1", "labels": "a,\x07"}, "control character"),
    ],
)
async def test_settings_that_cannot_be_are_refused_in_words(site: WebSite, fields: dict[str, str], words: str) -> None:
    flow_id, _ = await _flow(site)

    answer = await site.press(f"/default/flow/{flow_id}/defaults", **fields)

    assert answer.status_code == 400
    assert words in answer.text
    tail = (await site.log.events.tail()).position
    assert (await ViewsClient(site.log).flow(flow_id, at_least=tail)).default_parameters == {}
