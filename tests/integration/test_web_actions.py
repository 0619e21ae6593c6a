"""What people do with buttons: the same operations as everywhere, only from pages of this server, and seen at once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from harness.history_builder import chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.events import ParameterSpec
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.state import Run
from headwater.core.states import StateName


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _flow(site: WebSite, **more: Any) -> str:
    await site.history.project("tutorial")
    return (await site.history.flow("hello-flow", project="tutorial", **chain(["say_hello"]), **more)).flow_id


async def _run(site: WebSite, address: str) -> Run:
    return (await load_run(site.log.events, address.rsplit("/", 1)[1])).state


async def test_quick_run_creates_a_run_and_goes_to_its_page(site: WebSite) -> None:
    flow_id = await _flow(site, parameters=[ParameterSpec("who", default="Ada")])

    answer = await site.press(f"/default/flow/{flow_id}/quick-run")

    assert answer.status_code == 303
    page = await site.client.get(answer.headers["location"])
    assert page.status_code == 200
    assert "Scheduled" in page.text
    run = await _run(site, answer.headers["location"])
    assert run.created.parameters == {"who": "Ada"}
    recorded = await site.log.events.read(f"hw.evt.run.{run.created.run_id}")
    assert recorded[0].commit.actor == "web:127.0.0.1"


async def test_the_run_tab_takes_parameters_labels_a_name_and_a_time(site: WebSite) -> None:
    parameters = [
        ParameterSpec("who", required=True),
        ParameterSpec("times", default=1),
        ParameterSpec("loud", default=False),
        ParameterSpec("names", default=["Ada"]),
        ParameterSpec("greeting", default="Hello"),
    ]
    flow_id = await _flow(site, parameters=parameters, labels=["river"])
    form = await site.page(f"/default/flow/{flow_id}?tab=run")
    for parameter in parameters:
        assert f'name="parameter:{parameter.name}"' in form
    assert "disabled" in form.split("Quick run")[0].rsplit("<button", 1)[1]
    values = {"who": "Grace", "times": "3", "loud": "true", "names": "[1]", "greeting": "7"}
    fields = {f"parameter:{name}": value for name, value in values.items()}
    later = {"when": "later", "start": "2031-01-02T03:04:05", "name": "my run", "own_labels": "1", "labels": "a, b", "context": '{"k": 1}'}

    answer = await site.press(f"/default/flow/{flow_id}/run", **fields, **later)

    run = await _run(site, answer.headers["location"])
    assert run.created.parameters == {"who": "Grace", "times": 3, "loud": True, "names": [1], "greeting": "7"}
    assert (run.created.labels, run.name, run.created.context) == (("a", "b"), "my run", {"k": 1})
    assert str(run.scheduled_for) == "2031-01-02 03:04:05+00:00"

    as_json = await site.press(f"/default/flow/{flow_id}/run", parameters='{"who": null, "times": 9}', **fields)
    created = (await _run(site, as_json.headers["location"])).created
    assert created.parameters["times"] == 9
    assert created.labels == ("river",)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "Required parameters were not supplied: &#39;who&#39;"),
        ({"parameters": "[1]"}, "is not a JSON object"),
        ({"parameters": "{"}, "is not JSON"),
        ({"parameters": '{"nope": 1}'}, "has no parameter &#39;nope&#39;"),
        ({"parameter:who": "1", "when": "later", "start": "soon"}, "is not a time"),
        ({"parameter:who": "1", "name": "\x07"}, "control character"),
        ({"parameter:who": "1", "context": "x"}, "is not JSON"),
    ],
)
async def test_a_form_that_cannot_be_is_refused_in_words(site: WebSite, fields: dict[str, str], words: str) -> None:
    flow_id = await _flow(site, parameters=[ParameterSpec("who", required=True)])

    answer = await site.press(f"/default/flow/{flow_id}/run", **fields)

    assert answer.status_code == 400
    assert words in answer.text


async def test_a_run_is_cancelled_renamed_and_started_now(site: WebSite) -> None:
    flow_id = await _flow(site)
    run = await site.history.run(flow_id, due_at=site.history.clock() + timedelta(hours=1))
    path = f"/default/flow-run/{run.run_id}"
    assert "Start now" in await site.page(path)

    await site.press(f"{path}/start-now")
    assert "Start now" not in await site.page(path)
    await site.press(f"{path}/rename", name="<i>other</i>")
    assert "&lt;i&gt;other&lt;/i&gt;" in await site.page(path)
    await site.press(f"{path}/cancel", reason="not today")
    assert (await _run(site, path)).state is StateName.CANCELLED
    assert "not today" in await site.page(path)
    again = await site.press(f"{path}/start-now")
    assert again.status_code == 409


async def test_projects_are_created_changed_and_deleted_with_their_name_as_confirmation(site: WebSite) -> None:
    created = await site.press("/default/projects/create", name="Hello, World!", description="first")
    page = await site.client.get(created.headers["location"])
    assert "Hello, World!" in page.text
    taken = await site.press("/default/projects/create", name="Hello, World!")
    assert (taken.status_code, "already exists" in taken.text) == (409, True)
    project_id = created.headers["location"].split("=")[1]

    await site.press(f"/default/project/{project_id}/change", name="Bye", description="second")
    listed = await site.page("/default/projects")
    assert "Bye" in listed
    assert "second" in listed
    refused = await site.press(f"/default/project/{project_id}/delete", confirm="Hello, World!")
    assert refused.status_code == 400
    await site.press(f"/default/project/{project_id}/delete", confirm="Bye")
    assert "Bye" not in await site.page("/default/projects")


async def test_a_deleted_flow_leaves_the_lists(site: WebSite) -> None:
    flow_id = await _flow(site)
    await site.press(f"/default/flow/{flow_id}/delete", reason="old")

    assert "hello-flow" not in await site.page("/default/flows")
    page = await site.page(f"/default/flow/{flow_id}")
    assert "deleted" in page
    assert "Quick run" not in page


@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, "wrong"),
        ({}, ""),
        ({"Origin": "https://evil.example"}, None),
        ({"Origin": "null"}, None),
        ({"Sec-Fetch-Site": "cross-site"}, None),
        ({"Sec-Fetch-Site": "same-site"}, None),
        ({"Host": "evil.example"}, None),
    ],
)
async def test_changes_come_from_our_own_pages_alone(site: WebSite, headers: dict[str, str], token: str | None) -> None:
    flow_id = await _flow(site)
    await site.press("/default/projects/create", name="sets the token")
    before = await site.log.events.tail()

    fields = {"token": site.token if token is None else token}
    answer = await site.client.post(f"/default/flow/{flow_id}/quick-run", data=fields, headers=headers)

    assert answer.status_code == 403
    assert await site.log.events.tail() == before


async def test_nothing_is_changed_by_reading(site: WebSite) -> None:
    flow_id = await _flow(site)

    assert (await site.client.get(f"/default/flow/{flow_id}/quick-run")).status_code == 405


async def test_every_answer_has_the_headers_that_browsers_obey(site: WebSite) -> None:
    for path in ("/", "/nowhere", "/health", "/static/headwater.css"):
        headers = (await site.client.get(path)).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    html = await site.page("/")
    assert "style=" not in html
    assert "onclick" not in html
    assert html.count("<script") == 1


async def test_names_of_strangers_are_not_answered(site: WebSite) -> None:
    for host, status in (("evil.example", 403), ("localhost", 200), ("127.0.0.1:1", 200), ("[::1]:80", 200), ("server", 200), ("[", 403)):
        assert (await site.client.get("/health", headers={"Host": host})).status_code == status, host


async def test_a_failed_run_is_restarted_as_a_whole_or_from_a_task(site: WebSite) -> None:
    flow_id = await _flow(site)
    run = await site.history.run(flow_id)
    await run.claim()
    await run.start()
    await run.started("say_hello-1")
    await run.failed("say_hello-1")
    assert "Restart</button>" not in (await site.page(f"/default/flow-run/{run.run_id}")).split("</section>")[0]
    await run.finish(failed=True)
    path = f"/default/flow-run/{run.run_id}"
    assert 'popovertarget="restart-run"' in await site.page(path)
    assert "Restart from here" in await site.page(f"/default/task-run/{run.run_id}/say_hello-1")

    await site.press(f"{path}/restart", reason="the warehouse is back")

    assert (await _run(site, path)).state is StateName.SCHEDULED
    assert "the warehouse is back" in await site.page(f"{path}?tab=events")
    again = await site.press(f"{path}/restart", from_task="say_hello-1")
    assert again.status_code == 409


async def test_a_flow_gets_limits_and_loses_them(site: WebSite) -> None:
    flow_id = await _flow(site)

    await site.press(f"/default/flow/{flow_id}/limits", concurrency="2", attempts_max="5")
    page = await site.page(f"/default/flow/{flow_id}?tab=settings")
    assert 'name="concurrency" inputmode="numeric" value="2"' in page
    assert 'name="attempts_max" inputmode="numeric" value="5"' in page
    await site.press(f"/default/flow/{flow_id}/limits", concurrency="", attempts_max="")
    assert 'name="concurrency" inputmode="numeric" value=""' in await site.page(f"/default/flow/{flow_id}?tab=settings")
    for wrong in ("0", "-1", "many"):
        answer = await site.press(f"/default/flow/{flow_id}/limits", concurrency=wrong)
        assert answer.status_code == 400, wrong
