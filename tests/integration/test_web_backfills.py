"""Backfills on pages: their times are shown before anything is recorded, and then how far they are, until they end or are cancelled."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from harness.history_builder import PlayedRun, chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.backfills.state import Backfill
from headwater.core.calendar.schedules import CronSchedule, IntervalSchedule
from headwater.core.events import ParameterSpec
from headwater.core.log import subjects
from headwater.core.operations.backfills import backfill
from headwater.core.operations.headwater import Headwater
from headwater.core.values.identifiers import schedule_id
from headwater.server.planner.backfill_keeper import BackfillKeeper
from headwater.server.planner.known_flows import KnownFlows
from headwater.server.planner.open_runs import OpenRuns

DAYS = {"from_utc": "2026-03-01T00:00:00.000Z", "to_utc": "2026-03-03T23:00:00.000Z", "choice": "missing", "limit": "1"}


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _daily(site: WebSite, **more: Any) -> tuple[str, str]:
    """A flow that has a time each morning; its id, and that of its schedule."""
    await site.history.project("warehouse")
    given = {**chain(["load"]), "schedule": CronSchedule("0 6 * * *").serialize(), **more}
    flow = await site.history.flow("etl", project="warehouse", parameters=[ParameterSpec("mode", default="fast")], **given)
    return flow.flow_group_id, schedule_id(flow.flow_group_id, "")


async def _requested(site: WebSite) -> list[Backfill]:
    ids = [recorded.subject.rpartition(".")[2] for recorded in await site.log.events.last_of_each(subjects.BACKFILLS_ALL)]
    return [await backfill(site.log.events, each).refresh() for each in ids]


async def _request(site: WebSite, own: str, **fields: str) -> str:
    """Request the backfill of these fields as a browser does; its id."""
    path = f"/default/schedule/{own}/backfill"
    shown = await site.press(path, **{**DAYS, **fields}, intent="preview")
    answer = await site.press(path, **{**DAYS, **fields}, intent="request", seal=_seal(shown.text))
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rpartition("/")[2]


async def _look(site: WebSite, backfill_id: str) -> Backfill:
    """Do as the server does when something happened to the backfill."""
    actor = site.history.actor("planner")
    await BackfillKeeper(site.log, actor, OpenRuns(site.log.events), KnownFlows(Headwater(site.log, actor).catalogue)).look(backfill_id)
    return await backfill(site.log.events, backfill_id).refresh()


async def _end(run: PlayedRun, *, failed: bool = False) -> None:
    await run.claim()
    await run.start()
    await run.finish(failed=failed)


def _seal(html: str) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]+)"', html)
    assert found is not None, "the form shows no times"
    return found.group(1)


def _preview(html: str) -> str:
    """What the form shows that has a seal."""
    return html.partition("this order</h3>")[2].partition("</form>")[0]


async def test_the_times_show_in_their_order_before_anything_is_recorded(site: WebSite) -> None:
    group_id, own = await _daily(site)
    assert "Backfill the schedule" in await site.page(f"/default/flow/{group_id}?tab=schedule")
    path = f"/default/schedule/{own}/backfill"

    shown = await site.press(path, **DAYS, intent="preview")
    newest_first = await site.press(path, **DAYS, reverse="1", intent="preview")

    assert shown.status_code == 200
    assert "3 times would have runs" in shown.text
    assert "<b>3</b> without a run" in shown.text
    times = [f"2026-03-0{day}T06:00:00" for day in (1, 2, 3)]
    assert [each[:19] for each in re.findall(r'datetime="([^"]+)"', _preview(shown.text))] == times
    assert [each[:19] for each in re.findall(r'datetime="([^"]+)"', _preview(newest_first.text))] == times[::-1]
    assert await _requested(site) == []


async def test_what_was_shown_is_requested_and_nothing_else(site: WebSite) -> None:
    _, own = await _daily(site)
    path = f"/default/schedule/{own}/backfill"
    filled = {**DAYS, "limit": "2", "parameters": '{"mode": "slow"}'}

    unseen = await site.press(path, **filled, intent="request")
    seal = _seal((await site.press(path, **filled, intent="preview")).text)
    for changed in ({"limit": "3"}, {"parameters": ""}, {"reverse": "1"}, {"to_utc": "2026-03-02T23:00:00.000Z"}):
        other = await site.press(path, **{**filled, **changed}, intent="request", seal=seal)
        assert "look at them, then request" in other.text
    assert "look at them, then request" in unseen.text
    assert await _requested(site) == []

    answer = await site.press(path, **filled, intent="request", seal=seal)
    (state,) = await _requested(site)
    assert answer.headers["location"] == f"/default/backfill/{state.requested.backfill_id}"
    assert (len(state.requested.times), state.requested.limit, state.requested.parameters) == (3, 2, {"mode": "slow"})


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"from_utc": "", "from": ""}, "from", "Say where the span begins"),
        ({"from_utc": "", "from": "yesterday"}, "from", "is not a time"),
        ({"from_utc": "0001-01-01T00:00:00+14:00"}, "from", "is out of range"),
        ({"to_utc": "9999-12-31T23:00:00Z"}, "to", "is out of range"),
        ({"to_utc": "2026-02-01T00:00:00Z"}, "to", "before it begins"),
        ({"choice": "some"}, "choice", "is not one of the choices"),
        ({"limit": "0"}, "limit", "whole number between 1 and 1,000"),
        ({"limit": "٣"}, "limit", "whole number between 1 and 1,000"),
        ({"parameters": "{"}, "parameters", "This is not JSON"),
        ({"parameters": "[]"}, "parameters", "not a JSON object"),
        ({"parameters": '{"mood": "bad"}'}, "parameters", "has no parameter 'mood'"),
    ],
)
async def test_what_cannot_be_is_said_beside_the_field_and_what_was_typed_is_kept(
    site: WebSite, wrong: dict[str, str], field: str, words: str
) -> None:
    _, own = await _daily(site)
    filled = {**DAYS, "limit": "7", "parameters": '{"mode": "<slow>"}', **wrong}

    answer = await site.press(f"/default/schedule/{own}/backfill", **filled, intent="request", seal="0")

    form = answer.text.partition(f'data-schedule-form="backfill-{own}"')[2].partition("</form>")[0]
    said = {name: unescape(text) for name, text in re.findall(r'data-error="(\w*)" role="alert">([^<]*)<', form)}
    assert answer.status_code == 400
    assert words in said[field]
    assert [name for name, text in said.items() if text] == [field]
    for name in ("limit", "parameters"):
        assert filled[name] in unescape(form)
    assert 'name="seal"' not in form
    assert await _requested(site) == []


async def test_times_to_come_are_left_to_the_schedule(site: WebSite) -> None:
    _, own = await _daily(site)
    now = datetime.now(UTC)
    span = {"from_utc": (now - timedelta(days=3)).isoformat(), "to_utc": (now + timedelta(days=3)).isoformat()}

    shown = await site.press(f"/default/schedule/{own}/backfill", **{**DAYS, **span}, intent="preview")

    assert "3 times would have runs" in shown.text
    assert "the backfill ends now" in shown.text


async def test_of_many_times_the_first_are_shown_and_all_are_counted(site: WebSite) -> None:
    _, own = await _daily(site, schedule=IntervalSchedule(timedelta(minutes=10)).serialize())

    shown = await site.press(f"/default/schedule/{own}/backfill", **DAYS, intent="preview")

    assert "These are the first 200 of 427" in shown.text
    assert _preview(shown.text).count("data-moment") == 200
    backfill_id = await _request(site, own)
    assert "Times 1 to 200 of 427" in await site.page(f"/default/backfill/{backfill_id}")
    assert "Times 401 to 427 of 427" in await site.page(f"/default/backfill/{backfill_id}?page=99")


async def test_open_pages_show_how_far_it_is_and_its_runs_are_linked_both_ways(site: WebSite) -> None:
    group_id, own = await _daily(site)

    async with site.open_page(f"/default/flow/{group_id}?tab=schedule") as page:
        backfill_id = await _request(site, own)
        part = await page.until("0 of 3", in_part="live_schedules")
        assert f'href="/default/backfill/{backfill_id}"' in part
        async with site.open_page(f"/default/backfill/{backfill_id}") as details:
            (first,) = (await _look(site, backfill_id)).unfinished
            await details.until(f'href="/default/flow-run/{first}"', in_part="live_times")
            await _end(site.history.played(first), failed=True)
            await _look(site, backfill_id)
            await page.until("1 failed", in_part="live_schedules")
            assert "1 of 3 times ended" in await details.until("1 failed", in_part="live_header")

    run = await site.page(f"/default/flow-run/{first}")
    assert re.search(rf'Made by the backfill</dt><dd><a href="/default/backfill/{backfill_id}">\w+-\w+', run)
    failed = await site.press(f"/default/schedule/{own}/backfill", **{**DAYS, "choice": "failed"}, intent="preview")
    assert "1 time would have a run" in failed.text


async def test_it_is_cancelled_with_a_reason(site: WebSite) -> None:
    group_id, own = await _daily(site)
    backfill_id = await _request(site, own)
    (run_id,) = (await _look(site, backfill_id)).unfinished

    answer = await site.press(f"/default/backfill/{backfill_id}/cancel", reason="<b>wrong</b> data", back="schedule")

    assert answer.headers["location"] == f"/default/flow/{group_id}?tab=schedule"
    assert "cancelling" in await site.page(f"/default/flow/{group_id}?tab=schedule")
    await _look(site, backfill_id)
    assert (await _look(site, backfill_id)).cancelled
    html = await site.page(f"/default/backfill/{backfill_id}")
    assert "&lt;b&gt;wrong&lt;/b&gt; data" in html
    assert "2 have no run" in html
    assert 'popovertarget="cancel-backfill"' not in html.partition("live_times")[0]
    assert "Cancelled" in await site.page(f"/default/flow-run/{run_id}")


async def test_failed_and_skipped_times_lead_to_the_form_filled_in(site: WebSite) -> None:
    now = site.history.clock.now.replace(minute=30)
    site.history.clock.now = now - timedelta(hours=2)
    group_id, own = await _daily(site, schedule=IntervalSchedule(timedelta(hours=1)).serialize())
    site.history.clock.now = now - timedelta(hours=1)
    (failing,) = await site.history.plan(own)
    await failing.claim()
    await failing.start()
    site.history.clock.now = now
    assert await site.history.plan(own) == [], "the time is skipped: an earlier run has not ended"
    await failing.finish(failed=True)

    html = await site.page(f"/default/flow/{group_id}?tab=schedule")

    for choice in ("failed", "missing"):
        link = next(each for each in re.findall(r'href="([^"]+)">backfill</a>', html) if f"choice={choice}" in each)
        form = (await site.page(unescape(link).partition("#")[0])).partition(f'data-schedule-form="backfill-{own}"')
        assert f'id="backfill-{own}" open>' in form[0]
        assert f'value="{choice}" selected' in form[2]
        filled = dict(re.findall(r'name="(from_utc|to_utc)" value="([^"]+)"', form[2]))
        shown = await site.press(f"/default/schedule/{own}/backfill", **{**DAYS, **filled, "choice": choice}, intent="preview")
        assert "1 time would have a run" in shown.text


async def test_a_backfill_that_is_not_there_has_no_page(site: WebSite) -> None:
    for path in ("nonsense", "01990000-0000-7000-8000-000000000000"):
        assert "not found" in await site.page(f"/default/backfill/{path}", status=404)
        assert (await site.press(f"/default/backfill/{path}/cancel")).status_code in {400, 404}
        assert (await site.press(f"/default/schedule/{path}/backfill", **DAYS)).status_code in {400, 404}


async def test_backfills_come_from_pages_of_this_site_only(site: WebSite) -> None:
    _, own = await _daily(site)
    backfill_id = await _request(site, own)

    for path in (f"/default/schedule/{own}/backfill", f"/default/backfill/{backfill_id}/cancel"):
        assert (await site.client.post(path, data=DAYS, headers={"Origin": site.url})).status_code == 403
    (state,) = await _requested(site)
    assert state.cancel_requested is None
