"""Schedules on pages: what they show, what their buttons do, and the form that shows the next times before it sets them."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from harness.history_builder import PlayedRun, chain
from harness.views_fixtures import hosted
from harness.web_site import WebSite, fresh_site

from headwater.core.calendar.schedules import IntervalSchedule
from headwater.core.events import ParameterSpec
from headwater.core.operations.schedules import schedule
from headwater.core.schedules.state import ScheduleState
from headwater.core.values.identifiers import schedule_id

HOURLY = IntervalSchedule(timedelta(hours=1)).serialize()
CRON = {"kind": "cron", "cron": "0 6 * * MON-FRI", "zone": "Europe/Berlin"}


@pytest.fixture
async def site(nats_url: str, database_url: str) -> AsyncIterator[WebSite]:
    async with hosted(fresh_site(nats_url, database_url)) as site:
        yield site


async def _flow(site: WebSite, **more: Any) -> str:
    await site.history.project("warehouse")
    return (await site.history.flow("etl", project="warehouse", **{**chain(["load"]), **more})).flow_group_id


async def _state(site: WebSite, group_id: str, slug: str = "") -> ScheduleState:
    return await schedule(site.log.events, schedule_id(group_id, slug)).refresh()


async def _end(run: PlayedRun, *, failed: bool = False) -> None:
    await run.claim()
    await run.start()
    await run.finish(failed=failed)


async def _hours_of_a_schedule(site: WebSite, hours: int, **policies: Any) -> tuple[str, list[PlayedRun]]:
    """A flow that was run each hour for so long; its runs have not ended."""
    now = site.history.clock.now
    site.history.clock.now = now - timedelta(hours=hours)
    group_id = await _flow(site, schedule={**HOURLY, "policies": policies})
    runs = []
    for number in range(1, hours + 1):
        site.history.clock.now = now - timedelta(hours=hours - number)
        runs += await site.history.plan(schedule_id(group_id, ""))
    return group_id, runs


def _seal(html: str) -> str:
    found = re.search(r'name="seal" value="([0-9a-f]+)"', html)
    assert found is not None, "the form shows no next times"
    return found.group(1)


async def test_a_flow_shows_its_schedule_with_its_next_times_and_what_became_of_those_before(site: WebSite) -> None:
    group_id, runs = await _hours_of_a_schedule(site, 3)

    html = await site.page(f"/default/flow/{group_id}")

    assert "every hour" in html
    assert 'aria-checked="true"' in html
    assert "interval_seconds" not in html, "the registered JSON is not shown"
    assert len(runs) == 1
    assert f'href="/default/flow-run/{runs[0].run_id}"' in html
    assert "an earlier run had not ended" in html
    assert html.count("data-moment") >= 5
    for path in ("/default/flows", "/"):
        page = await site.page(path)
        assert "every hour" in page or path == "/"
        assert "by its schedule" in page or path != "/"


async def test_a_run_says_for_which_time_of_which_schedule_it_is_and_for_which_run_it_waits(site: WebSite) -> None:
    _, (first, second) = await _hours_of_a_schedule(site, 2, overlap="queue_one")

    html = await site.page(f"/default/flow-run/{second.run_id}")

    assert "every hour" in html
    assert "For the time" in html
    assert re.search(rf'Waits for</dt><dd><a href="/default/flow-run/{first.run_id}"', html)
    assert "of the same schedule has ended" in html
    assert "the page of the run" not in html
    await _end(first)
    assert "Waits for" not in await site.page(f"/default/flow-run/{first.run_id}")


async def test_a_schedule_is_paused_with_a_note_and_resumed_and_open_pages_show_it(site: WebSite) -> None:
    group_id = await _flow(site, schedule=HOURLY)
    path = f"/default/schedule/{schedule_id(group_id, '')}"

    async with site.open_page(f"/default/flow/{group_id}") as page, site.open_page("/default/flows") as flows:
        answer = await site.press(f"{path}/pause", note="the <b>warehouse</b> moves", until_utc="2099-01-01T06:00:00.000Z")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/default/flow/{group_id}")
        part = await page.until('aria-checked="false"', in_part="live_schedules")
        await flows.until("paused", in_part="live_flows")
    assert "the &lt;b&gt;warehouse&lt;/b&gt; moves" in part
    assert "Paused by web:127.0.0.1" in part
    assert "2099-01-01 06:00:00 UTC" in part
    progress = (await _state(site, group_id)).progress
    assert progress is not None
    assert progress.pause is not None
    assert progress.pause.until == datetime(2099, 1, 1, 6, tzinfo=UTC)

    answer = await site.press(f"{path}/resume", back="schedule")
    assert answer.headers["location"].endswith("?tab=schedule")
    assert (await _state(site, group_id)).is_active


async def test_times_are_set_once_their_next_ones_were_shown(site: WebSite) -> None:
    group_id = await _flow(site, parameters=[ParameterSpec("table", required=True)])
    path = f"/default/flow/{group_id}/schedule"
    assert "No schedule" in await site.page(f"/default/flow/{group_id}")
    assert "Set a schedule" in await site.page(f"/default/flow/{group_id}?tab=schedule")
    filled = {**CRON, "new": "1", "parameters": '{"table": "orders"}', "overlap": "queue_one", "max_runs": "7"}

    unseen = await site.press(path, **filled, intent="save")
    assert "look at them, then save" in unseen.text
    assert not (await _state(site, group_id)).exists

    shown = await site.press(path, **filled, intent="preview")
    assert shown.status_code == 200
    assert shown.text.split("data-preview", 1)[1].count("data-moment") == 5
    other = await site.press(path, **{**filled, "cron": "0 7 * * *"}, intent="save", seal=_seal(shown.text))
    assert "look at them, then save" in other.text
    assert not (await _state(site, group_id)).exists

    saved = await site.press(path, **filled, intent="save", seal=_seal(shown.text))
    assert (saved.status_code, saved.headers["location"]) == (303, f"/default/flow/{group_id}?tab=schedule")
    spec = (await _state(site, group_id)).spec
    assert spec is not None
    assert spec.timetable["clocks"][0]["start_date"]["tz"] == "Europe/Berlin"
    assert (spec.policies.overlap, spec.policies.max_runs) == ("queue_one", 7)
    page = await site.page(f"/default/flow/{group_id}?tab=schedule")
    for words in ("06:00", "Europe/Berlin", "A run waits for the earlier one to end", "Pauses after 7 runs", "Delete this schedule"):
        assert words in page, words
    assert 'value="0 6 * * MON-FRI"' in page, "the form is filled with what holds"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"cron": "x <b>"}, "'x <b>' is not a cron expression"),
        ({"zone": "Mars"}, "No time zone is called 'Mars'"),
        ({"parameters": "{}"}, "leaves the parameters 'table'"),
        ({"parameters": '{"table": 1, "tabel": 2}'}, "has no parameter 'tabel'"),
        ({"max_runs": "0"}, "must be at least 1"),
        ({"new": "1", "slug": "\x07"}, "control character"),
        ({"new": "1"}, "Give it a name"),
    ],
)
async def test_what_cannot_be_is_said_beside_the_field_and_what_was_typed_is_kept(
    site: WebSite, changed: dict[str, str], words: str
) -> None:
    group_id = await _flow(site, schedule=HOURLY, parameters=[ParameterSpec("table", default="orders")])
    required = [ParameterSpec("table", required=True)]
    registered = {**HOURLY, "clocks": [{**HOURLY["clocks"][0], "parameter_defaults": {"table": "orders"}}]}
    await site.history.flow("etl", project="warehouse", **chain(["load"]), parameters=required, schedule=registered)
    before = (await site.log.events.tail()).position
    filled = {**CRON, "parameters": '{"table": "orders"}', **changed}

    answer = await site.press(f"/default/flow/{group_id}/schedule", **filled, intent="save")

    assert answer.status_code == 400
    html = unescape(answer.text)
    assert words in html
    assert filled["parameters"] in html
    assert "<b>" not in answer.text.split("live_month")[0].split("schedule-form", 1)[1]
    assert (await site.log.events.tail()).position == before


async def test_a_user_goes_back_to_the_registered_times(site: WebSite) -> None:
    group_id = await _flow(site, schedule=HOURLY)
    path = f"/default/flow/{group_id}/schedule"
    shown = await site.press(path, **CRON, intent="preview")
    await site.press(path, **CRON, intent="save", seal=_seal(shown.text))
    page = await site.page(f"/default/flow/{group_id}")
    for words in ("set by a user", "Back to the registered times", "registered: every hour"):
        assert words in page, words

    await site.press(f"/default/schedule/{schedule_id(group_id, '')}/delete")

    page = await site.page(f"/default/flow/{group_id}")
    assert "Back to the registered times" not in page
    assert "every hour" in page


async def test_another_schedule_has_a_name_of_its_own(site: WebSite) -> None:
    group_id = await _flow(site, schedule=HOURLY)
    path = f"/default/flow/{group_id}/schedule"
    filled = {**CRON, "new": "1", "slug": "nightly"}
    shown = await site.press(path, **filled, intent="preview")
    await site.press(path, **filled, intent="save", seal=_seal(shown.text))

    page = await site.page(f"/default/flow/{group_id}?tab=schedule&slug=nightly&edit=1")

    assert "Edit the schedule “nightly”" in page
    assert "There is" not in page
    again = await site.press(path, **filled, intent="save")
    assert "has a schedule of the name &#39;nightly&#39;" in again.text


async def test_a_month_counts_what_became_of_times_and_those_to_come(site: WebSite) -> None:
    site.history.clock.now = datetime(2026, 3, 10, 0, 30, tzinfo=UTC)
    group_id = await _flow(site, schedule={**HOURLY, "policies": {"overlap": "skip"}})
    ends = {1: False, 2: True}
    for hour in (1, 2, 3, 4):
        site.history.clock.now = datetime(2026, 3, 10, hour, 0, 1, tzinfo=UTC)
        for run in await site.history.plan(schedule_id(group_id, "")):
            if hour in ends:
                await _end(run, failed=ends[hour])

    html = await site.page(f"/default/flow/{group_id}?tab=schedule&month=2026-03")

    day = html.split('<time datetime="2026-03-10">', 1)[1].split("</td>", 1)[0]
    for words in ("3 runs", "1 succeeded", "1 failed", "1 not ended", "1 skipped: an earlier run had not ended"):
        assert words in day, (words, day)
    assert "many to come" not in html
    assert "March 2026" in html
    assert "month=2026-02" in html
    coming = (site.history.clock.now + timedelta(days=365 * 3)).strftime("%Y-%m")
    assert "24 to come" in await site.page(f"/default/flow/{group_id}?tab=schedule&month={coming}")


async def test_a_schedule_whose_time_came_without_an_outcome_is_called_late(site: WebSite) -> None:
    site.history.clock.now -= timedelta(hours=3)
    group_id = await _flow(site, schedule=HOURLY)

    for path in (f"/default/flow/{group_id}", f"/default/flow/{group_id}?tab=schedule", "/default/flows", "/"):
        assert "late by" in await site.page(path), path
    await site.press(f"/default/schedule/{schedule_id(group_id, '')}/pause")
    assert "late by" not in await site.page("/")


async def test_changes_of_schedules_come_from_pages_of_this_site_only(site: WebSite) -> None:
    group_id = await _flow(site, schedule=HOURLY)
    own = schedule_id(group_id, "")
    before = (await site.log.events.tail()).position
    paths = [f"/default/schedule/{own}/{word}" for word in ("pause", "resume", "delete")]
    for path in [*paths, f"/default/flow/{group_id}/schedule"]:
        assert (await site.client.post(path, data={**CRON, "intent": "save"})).status_code == 403
        other = {"Origin": "https://evil.example"}
        assert (await site.client.post(path, data=CRON, headers=other)).status_code == 403
    assert (await site.log.events.tail()).position == before
    for schedule_of_nothing in ("no-id", schedule_id(group_id, "nothing")):
        assert (await site.press(f"/default/schedule/{schedule_of_nothing}/pause")).status_code in {400, 404}


async def test_a_version_with_another_schedule_says_both_in_words(site: WebSite) -> None:
    group_id = await _flow(site, schedule=HOURLY)
    await _flow(site, schedule=IntervalSchedule(timedelta(minutes=5)).serialize())

    html = await site.page(f"/default/flow/{group_id}?tab=versions&from=1")

    assert "Schedule: every hour became every 5 minutes." in html


async def test_metrics_tell_how_many_schedules_are_active_and_which_are_overdue(site: WebSite) -> None:
    async def numbers() -> dict[str, float]:
        await site.page("/")
        lines = [
            line.rsplit(" ", 1) for line in (await site.client.get("/metrics")).text.splitlines() if line.startswith("headwater_sched")
        ]
        return {name: float(value) for name, value in lines}

    assert math.isnan((await numbers())["headwater_schedule_next_due_seconds"])
    group_id = await _flow(site, schedule=HOURLY)
    found = await numbers()
    assert (found['headwater_schedules{active="true"}'], found["headwater_schedules_overdue"]) == (1, 0)
    assert 0 < found["headwater_schedule_next_due_seconds"] <= 3_600

    site.history.clock.now -= timedelta(hours=3)
    await site.history.headwater().schedules.set(group_id, HOURLY, slug="late")
    found = await numbers()
    assert (found['headwater_schedules{active="true"}'], found["headwater_schedules_overdue"]) == (2, 1)
    assert found["headwater_schedule_next_due_seconds"] < -5
    await site.press(f"/default/schedule/{schedule_id(group_id, 'late')}/pause")
    found = await numbers()
    assert (found['headwater_schedules{active="false"}'], found["headwater_schedules_overdue"]) == (1, 0)
