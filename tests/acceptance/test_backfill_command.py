"""`headwater backfill` by the installed command, with a whole server and an agent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness.command_line import CommandLine
from harness.servers import wait_for

FLOWS = """
from headwater import Flow, Parameter, task
from headwater.schedules import CronSchedule


@task
def load(mode):
    if mode == "bad":
        raise ValueError(mode)


with Flow("daily-load", schedule=CronSchedule("0 6 * * *")) as flow:
    load(Parameter("mode", default="good"))
"""
SPAN = ("--from", "2026-03-01T00:00Z", "--to", "2026-03-03T23:00Z")
TIMES = [f"2026-03-0{day}T06:00:00Z" for day in (1, 2, 3)]


@pytest.fixture
def flow(headwater: CommandLine, project: str) -> str:
    Path(headwater.directory, "flows.py").write_text(FLOWS)
    assert headwater("register", "--project", project, "--path", "flows.py").code == 0
    return "daily-load"


@pytest.fixture
def agent(headwater: CommandLine) -> None:
    started = headwater.start("agent", "local", "start", "--name", "backfills")
    wait_for(lambda: "backfills" in headwater("get", "agents").out or started.poll() is not None, "the agent online")


def planned(headwater: CommandLine, project: str, flow: str, *options: str) -> list[dict[str, object]]:
    shown = headwater("backfill", flow, "-p", project, *SPAN, *options, "--dry-run", "--output", "json")
    assert shown.code == 0, shown.err
    found: list[dict[str, object]] = json.loads(shown.out)
    return found


def test_a_dry_run_shows_the_times_in_their_order_and_does_nothing(headwater: CommandLine, project: str, flow: str) -> None:
    assert [each["nominal"] for each in planned(headwater, project, flow)] == TIMES
    assert [each["nominal"] for each in planned(headwater, project, flow, "--reverse")] == TIMES[::-1]
    assert planned(headwater, project, flow, "--failed") == []
    shown = headwater("backfill", flow, "-p", project, *SPAN, "--dry-run")
    assert "3 times would have runs, in this order. Nothing was done." in shown.out
    assert json.loads(headwater("get", "flow-runs", "--flow", flow, "--project", project, "--output", "json").out) == []


def test_it_is_listed_with_how_far_it_is(headwater: CommandLine, project: str, flow: str) -> None:
    assert headwater("get", "backfills", "--project", project).err == "No backfills found.\n"
    asked = headwater("backfill", flow, "-p", project, *SPAN, "--limit", "2", "--quiet")
    assert asked.code == 0, asked.err

    shown = headwater("get", "backfills", "--project", project, "--flow", flow, "--running")
    assert "0 of 3" in shown.out
    (row,) = json.loads(headwater("get", "backfills", "-p", project, "--output", "json").out)
    assert (row["id"], row["state"], row["flow_name"], row["slug"]) == (asked.out.strip(), "running", flow, "")
    assert (row["times"], row["run_limit"], row["succeeded"], row["failed"], row["cancelled"]) == (3, 2, 0, 0, 0)
    assert json.loads(headwater("get", "backfills", "-p", project, "--flow", "another", "-o", "json").out) == []


@pytest.mark.usefixtures("agent")
def test_it_is_watched_to_its_end_and_then_goes_by_how_its_runs_ended(headwater: CommandLine, project: str, flow: str) -> None:
    done = headwater("backfill", flow, "-p", project, *SPAN, "--param", "mode=bad", "--limit", "2", "--watch")
    assert done.code == 1
    assert "3 of 3" in done.out
    assert "ended: 3 Failed." in done.out

    assert planned(headwater, project, flow) == []
    assert [each["last_state"] for each in planned(headwater, project, flow, "--failed")] == ["Failed"] * 3

    again = headwater("backfill", flow, "-p", project, *SPAN, "--failed", "--watch")
    assert (again.code, "ended: 3 Success." in again.out) == (0, True)
    assert planned(headwater, project, flow, "--failed") == []
    nothing = headwater("backfill", flow, "-p", project, *SPAN)
    assert (nothing.code, nothing.out) == (0, "Nothing to backfill: no time of the span is to have a run.\n")


def test_it_is_cancelled_as_one(headwater: CommandLine, project: str, flow: str) -> None:
    asked = headwater("backfill", flow, "-p", project, *SPAN, "--quiet")
    backfill_id = asked.out.strip()

    cancelled = headwater("cancel", backfill_id, "--reason", "wrong data")
    assert (cancelled.code, "is being cancelled; its unfinished runs are, too." in cancelled.out) == (0, True)

    def all_ended() -> bool:
        runs = json.loads(headwater("get", "flow-runs", "--flow", flow, "--project", project, "--output", "json").out)
        return bool(runs) and {run["state"] for run in runs} == {"Cancelled"}

    wait_for(all_ended, "its run cancelled")
    wait_for(lambda: headwater("cancel", backfill_id).code == 1, "the backfill ended")
    assert "had ended before" in headwater("cancel", backfill_id).err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--from", "yesterday"), "is not a time"),
        (("--from", "2026-03-02T00:00Z", "--to", "2026-03-01T00:00Z"), "before it begins"),
        ((*SPAN, "--all", "--failed"), "Choose one of"),
        ((*SPAN, "--limit", "0"), "The limit must be between"),
        ((*SPAN, "--param", "mood=bad"), "Did you mean 'mode'"),
        ((*SPAN, "--schedule", "nightly"), "nightly"),
        (("--from", "2026-03-01T00:00Z", "--param", "mode"), "NAME=VALUE"),
    ],
)
def test_what_cannot_be_backfilled_gets_a_sentence(
    headwater: CommandLine, project: str, flow: str, options: tuple[str, ...], said: str
) -> None:
    refused = headwater("backfill", flow, "-p", project, *options)

    assert refused.code in {1, 2}
    assert said in refused.err
    assert "Traceback" not in refused.err
