"""`headwater schedules` as people type it, with a whole server: set, list, pause, explain, check, and clear words where that fails."""

from __future__ import annotations

import pytest
from harness.command_line import CommandLine, Ended
from harness.servers import wait_for

FLOWS = """
from datetime import timedelta

from headwater import Flow, Parameter, task
from headwater.schedules import IntervalSchedule

@task
def load(region):
    return region

with Flow("every-second", schedule=IntervalSchedule(timedelta(seconds=1))) as quick:
    load(Parameter("region", default="north"))

with Flow("load") as plain:
    load(Parameter("region", default="north"))

with Flow("load/north") as slashed:
    load(Parameter("region"))
"""


@pytest.fixture
def flows(headwater: CommandLine, project: str) -> str:
    """The project of three flows: one with a schedule of its own, one without, one with a slash in its name."""
    headwater.write("flows.py", FLOWS)
    registered = headwater("register", "--project", project, "--path", "flows.py")
    assert registered.code == 0, registered.err
    return project


def done(ended: Ended) -> str:
    assert ended.code == 0, ended.err
    return ended.out


def refused(ended: Ended, *words: str, code: int = 1) -> None:
    assert ended.code == code, ended
    for each in words:
        assert each in ended.err
    assert "Traceback" not in ended.err
    assert ended.out == ""


def test_times_are_set_in_words_and_with_the_next_five(headwater: CommandLine, flows: str) -> None:
    out = done(headwater("schedules", "set", "load", "0 6 * * MON-FRI", "--timezone", "Europe/Berlin", "--project", flows))

    first, heading, *times = out.splitlines()
    assert first == "load: at 06:00 Mon\N{EN DASH}Fri, Europe/Berlin."
    assert heading == "Next times:"
    assert len(times) == 5
    again = done(headwater("schedules", "set", "load", "0 6 * * MON-FRI", "--timezone", "Europe/Berlin", "--project", flows))
    assert again.startswith("load: at 06:00 Mon\N{EN DASH}Fri, Europe/Berlin, as before.")


def test_policies_that_are_not_named_stay_and_so_do_times(headwater: CommandLine, flows: str) -> None:
    done(headwater("schedules", "set", "load", "@daily", "--overlap", "queue_one", "--window", "2d", "--project", flows))
    done(headwater("schedules", "set", "load", "--missed", "all", "--max-runs", "9", "--project", flows))
    found = headwater("schedules", "set", "load", "--interval", "1h", "--max-runs", "none", "--project", flows, "--output", "json").json

    assert found["words"] == "every hour"
    assert found["spec"]["policies"] == {"missed": "all", "window_seconds": 172800.0, "overlap": "queue_one"}


def test_schedules_are_listed_and_described_with_what_became_of_their_times(headwater: CommandLine, flows: str) -> None:
    done(headwater("schedules", "set", "load/weekly", "--interval", "1w", "--paused", "--project", flows))
    wait_for(lambda: "fired" in done(headwater("schedules", "describe", "every-second", "--project", flows)), "it has a run")

    listed = done(headwater("get", "schedules", "--project", flows))
    heading, *rows = listed.splitlines()
    assert heading.split("  ")[0] == "NAME"
    assert [row.split()[0] for row in rows] == ["every-second", "load/weekly"]
    assert ["paused" in row for row in rows] == [False, True]
    described = done(headwater("schedules", "describe", "every-second", "--project", flows))
    assert "Times:      every second\n" in described
    assert "Policies:   the defaults\n" in described
    assert "fired    run " in described
    (_, weekly) = headwater("schedules", "list", "--project", flows, "--output", "json").json
    assert (weekly["called"], weekly["words"], weekly["next_times"]) == ("load/weekly", "every week on Tue at 00:00, UTC", [])
    assert "Schedule:       every second (active)" in done(headwater("describe", "flow", "every-second", "--project", flows))


def test_a_pause_has_a_note_and_ends_and_both_are_explained(headwater: CommandLine, flows: str) -> None:
    done(headwater("schedules", "set", "load", "0 6 * * *", "--project", flows))
    paused = done(headwater("schedules", "pause", "load", "--note", "The source moves.", "--until", "2090-01-01", "--project", flows))
    assert paused == "load: paused until 2090-01-01 00:00:00.\n"

    explained = done(headwater("schedules", "explain", "load", "--at", "2089-12-31T06:00+00:00", "--project", flows))
    assert "in a pause." in explained
    assert "paused the schedule at" in explained
    assert "The source moves" in explained
    to_come = done(headwater("schedules", "explain", "load", "--at", "2090-01-02T06:00+00:00", "--project", flows))
    assert "It is to come" in to_come
    beside = headwater("schedules", "explain", "load", "--at", "2090-01-02T06:30+00:00", "--project", flows, "--output", "json").json
    assert (beside["reason"], beside["before"], beside["after"]) == (
        "not a time of the schedule",
        "2090-01-02T06:00:00Z",
        "2090-01-03T06:00:00Z",
    )
    assert done(headwater("schedules", "resume", "load", "--project", flows)).startswith("load: active.\nNext time:\n")
    assert done(headwater("schedules", "resume", "load", "--project", flows)).startswith("load: active, as before.")


def test_every_time_has_its_outcome(headwater: CommandLine, flows: str) -> None:
    wait_for(lambda: "fired" in done(headwater("schedules", "describe", "every-second", "--project", flows)), "it has a run")

    found = headwater("schedules", "check", "every-second", "--project", flows)

    assert found.out.startswith("1 schedule, "), found
    assert found.out.endswith(": 0 unexplained times.\n")
    assert found.code == 0
    whole = headwater("schedules", "check", "--project", flows, "--output", "json").json
    assert (whole["unexplained"], whole["findings"]) == (0, [])
    assert done(headwater("schedules", "explain", "every-second", "--project", flows)).startswith("every-second at ")


def test_what_a_user_set_is_taken_away_and_the_registered_times_hold_again(headwater: CommandLine, flows: str) -> None:
    done(headwater("schedules", "set", "every-second", "@daily", "--project", flows))
    described = done(headwater("schedules", "describe", "every-second", "--project", flows))
    assert "Registered:  every second\n" in described

    assert "hold again: every second." in done(headwater("schedules", "delete", "every-second", "--project", flows))
    refused(headwater("schedules", "delete", "every-second", "--project", flows), "the one that the flow is registered with")
    done(headwater("schedules", "set", "load", "@daily", "--project", flows))
    assert done(headwater("schedules", "delete", "load", "--project", flows)) == "load: deleted.\n"


def test_a_flow_whose_name_has_a_slash_goes_before_a_schedule_of_that_name(headwater: CommandLine, flows: str) -> None:
    done(headwater("schedules", "set", "load/north", "@daily", "--param", "region=north", "--project", flows))
    done(headwater("schedules", "set", "load/north/late", "@daily", "--param", "region=north", "--project", flows))
    done(headwater("schedules", "set", "load/south", "@daily", "--project", flows))

    found = headwater("schedules", "list", "--project", flows, "--output", "json").json

    assert [(each["flow_name"], each["slug"]) for each in found] == [
        ("every-second", ""),
        ("load", "south"),
        ("load/north", ""),
        ("load/north", "late"),
    ]
    # The only one that a flow has needs no slug.
    assert done(headwater("schedules", "describe", "load", "--project", flows)).startswith("Schedule:   load/south\n")


def test_what_is_not_there_is_said_with_what_may_be_meant(headwater: CommandLine, flows: str) -> None:
    refused(headwater("schedules", "pause", "lod", "--project", flows), "Flow 'lod' not found.", "Did you mean 'load'?")
    refused(headwater("schedules", "pause", "load", "--project", "nowhere"), "Project 'nowhere' not found.")
    refused(headwater("schedules", "describe", "load", "--project", flows), "Schedule 'load' not found.", "headwater schedules set load")
    refused(headwater("schedules", "resume", "every-second/x", "--project", flows), "not found.", "Flow 'every-second' has every-second.")
    for slug in ("a", "b"):
        done(headwater("schedules", "set", f"load/{slug}", "@daily", "--project", flows))
    refused(headwater("schedules", "explain", "load", "--project", flows), "has several schedules.", "load/a, load/b")


def test_a_mistake_in_the_options_writes_nothing(headwater: CommandLine, flows: str) -> None:
    refused(headwater("schedules", "set", "load", "0 6 * *", "--project", flows), "'0 6 * *' is not a cron expression")
    refused(headwater("schedules", "set", "load", "@daily", "--timezone", "Mars", "--project", flows), "no time zone is called 'Mars'")
    refused(headwater("schedules", "set", "load", "@daily", "--interval", "1h", "--project", flows), "in one way", code=2)
    refused(headwater("schedules", "set", "load", "--timezone", "UTC", "--project", flows), "--timezone says more of times", code=2)
    refused(headwater("schedules", "set", "load", "--project", flows), "Say what to set", code=2)
    refused(headwater("schedules", "set", "load/north", "@daily", "--project", flows), "leaves the parameters 'region'")
    refused(headwater("schedules", "set", "load", "@daily", "--param", "regoin=1", "--project", flows), "no parameter 'regoin'")

    listed = headwater("schedules", "list", "--project", flows, "--flow", "load", "--output", "json").json
    assert listed == []
