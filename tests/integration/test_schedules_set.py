"""Schedules as code, clients and registrations set, pause and delete them, on a real log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from harness.servers import NatsNode

from headwater.core.calendar import CronSchedule, IntervalSchedule, Schedule
from headwater.core.errors import InvalidArgument, NotFound
from headwater.core.events import AnyEvent, Overlap, PauseCause, event_type
from headwater.core.log import subjects
from headwater.core.log.jetstream import open_log
from headwater.core.schedules.state import ScheduleState
from headwater.core.values.identifiers import schedule_id, split_flow_id
from headwater.sdk.client import AsyncClient, Client
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.language.parameter import Parameter


@task
def greet(name: str) -> str:
    return f"Hello, {name}!"


DAILY = CronSchedule("0 6 * * *")
HOURLY = CronSchedule("0 * * * *")
NEVER_TWICE = IntervalSchedule(timedelta(days=3650))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def log_url(module_nats_node: NatsNode) -> str:
    async def make_streams() -> None:
        async with open_log(module_nats_node.url, ensure_streams=True):
            pass

    anyio.run(make_streams)
    return module_nats_node.url


@pytest.fixture
def client(log_url: str, request: pytest.FixtureRequest) -> Iterator[Client]:
    with Client(log_url) as connected:
        connected.create_project(request.node.name)
        yield connected


@pytest.fixture
def register(client: Client, request: pytest.FixtureRequest) -> Callable[..., str]:
    def registered(schedule: Schedule | None = DAILY, *, required: bool = False, key: str | None = None, active: bool | None = None) -> str:
        with Flow("scheduled-flow") as flow:
            greet(Parameter("name", required=required) if required else Parameter("name", default="Ana"))
        flow.set_schedule(schedule)
        return client.register(flow, request.node.name, idempotency_key=key, set_schedule_active=active, no_url=True)

    return registered


def state_of(client: Client, flow_id: str, slug: str = "") -> ScheduleState:
    async def read(asynchronous: AsyncClient) -> ScheduleState:
        return await asynchronous.headwater.schedules.of(schedule_id(split_flow_id(flow_id)[0], slug)).refresh()

    return client.call(read)


def events_of(client: Client, flow_id: str) -> list[AnyEvent]:
    async def read(asynchronous: AsyncClient) -> list[AnyEvent]:
        subject = subjects.schedule(schedule_id(split_flow_id(flow_id)[0]))
        return [event for recorded in await asynchronous.log.events.read(subject) for event in recorded.events]

    return client.call(read)


def names(client: Client, flow_id: str) -> list[str]:
    return [event_type(event).removeprefix("schedule.") for event in events_of(client, flow_id)]


def pause_of(client: Client, flow_id: str) -> PauseCause | None:
    progress = state_of(client, flow_id).progress
    return None if progress is None or progress.pause is None else progress.pause.cause


def test_registering_a_flow_sets_its_schedule_in_one_step(client: Client, register: Callable[..., str]) -> None:
    flow_id = register(CronSchedule("0 6 * * *", overlap="queue_one"))

    state = state_of(client, flow_id)
    assert state.is_active
    assert state.spec is not None
    assert state.spec.policies.overlap is Overlap.QUEUE_ONE


def test_registering_the_same_times_again_leaves_the_schedule_as_it_is(client: Client, register: Callable[..., str]) -> None:
    register()
    flow_id = register()

    assert names(client, flow_id) == ["set"]


def test_a_version_without_a_schedule_deletes_the_registered_one(client: Client, register: Callable[..., str]) -> None:
    register()
    flow_id = register(None)

    assert names(client, flow_id) == ["set", "deleted"]
    assert not state_of(client, flow_id).exists


def test_registering_says_when_the_flow_runs_and_that_it_is_paused(
    client: Client, register: Callable[..., str], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    register()
    client.register(Flow("scheduled-flow", schedule=HOURLY), request.node.name, set_schedule_active=False)
    client.register(Flow("other-flow"), request.node.name)

    said = [line for line in capsys.readouterr().out.splitlines() if "Schedule:" in line]
    assert said == [" └── Schedule: every hour (paused)"]


def test_a_flow_that_never_had_a_schedule_has_no_events_of_one(client: Client, register: Callable[..., str]) -> None:
    assert names(client, register(None)) == []


def test_it_can_be_registered_as_paused_and_stays_so_until_that_is_said(client: Client, register: Callable[..., str]) -> None:
    flow_id = register(active=False)
    assert pause_of(client, flow_id) is PauseCause.REGISTRATION

    register(HOURLY)
    assert pause_of(client, flow_id) is PauseCause.REGISTRATION

    register(HOURLY, active=True)
    assert pause_of(client, flow_id) is None


def test_a_flow_that_did_not_change_resumes_its_schedule_all_the_same(client: Client, register: Callable[..., str]) -> None:
    flow_id = register(key="same")
    client.pause_schedule(flow_id)

    register(key="same")
    assert pause_of(client, flow_id) is PauseCause.USER

    assert register(key="same", active=True) == flow_id
    assert pause_of(client, flow_id) is None


def test_what_a_client_sets_goes_first_until_it_is_deleted(client: Client, register: Callable[..., str]) -> None:
    flow_id = register()

    assert client.set_schedule(flow_id, HOURLY) is True
    assert client.set_schedule(flow_id, HOURLY) is False
    register(NEVER_TWICE)
    spec = state_of(client, flow_id).spec
    assert spec is not None
    assert spec.timetable == HOURLY.serialize()

    assert client.delete_schedule(flow_id) is True
    spec = state_of(client, flow_id).spec
    assert spec is not None
    assert spec.timetable == NEVER_TWICE.serialize()


def test_the_registered_times_cannot_be_deleted_by_a_client(client: Client, register: Callable[..., str]) -> None:
    flow_id = register()

    with pytest.raises(InvalidArgument, match="registered with"):
        client.delete_schedule(flow_id)


def test_a_flow_may_have_several_schedules_by_slugs(client: Client, register: Callable[..., str]) -> None:
    flow_id = register()
    client.set_schedule(flow_id, HOURLY, slug="hourly", active=False)

    assert state_of(client, flow_id).is_active
    assert not state_of(client, flow_id, "hourly").is_active
    client.delete_schedule(flow_id, slug="hourly")
    assert not state_of(client, flow_id, "hourly").exists


def test_a_pause_has_a_note_and_an_end(client: Client, register: Callable[..., str]) -> None:
    flow_id, until = register(), datetime.now(UTC) + timedelta(days=1)

    assert client.pause_schedule(flow_id, note="The warehouse moves.", until=until) is True
    progress = state_of(client, flow_id).progress
    assert progress is not None
    assert progress.pause is not None
    assert (progress.pause.note, progress.pause.until) == ("The warehouse moves.", until)
    assert client.resume_schedule(flow_id) is True
    assert client.resume_schedule(flow_id) is False


def test_what_is_not_there_cannot_be_paused(client: Client, register: Callable[..., str]) -> None:
    flow_id = register(None)

    with pytest.raises(NotFound):
        client.pause_schedule(flow_id)
    with pytest.raises(NotFound):
        client.resume_schedule(flow_id, slug="nightly")


def test_a_schedule_must_give_every_parameter_a_value(client: Client, register: Callable[..., str]) -> None:
    with pytest.raises(InvalidArgument, match="'name'"):
        register(required=True)
    flow_id = register(None, required=True)

    with pytest.raises(InvalidArgument, match="'name'"):
        client.set_schedule(flow_id, DAILY)
    assert names(client, flow_id) == []


async def test_a_schedule_that_cannot_be_read_is_refused(log_url: str) -> None:
    async with AsyncClient(log_url) as client:
        for data in (
            {},
            {"clocks": [{"type": "CronClock", "cron": "often"}]},
            {"clocks": [{"type": "SunClock"}]},
            {"clocks": 7},
            {"clocks": [None]},
        ):
            with pytest.raises(InvalidArgument):
                await client.headwater.schedules.set("8f14e45f-ceea-867a-9a36-dedd00000000", data)


@pytest.mark.parametrize(
    ("policies", "said"),
    [
        ({"overlap": "queue"}, "There are: skip, queue_one"),
        ({"overlp": "skip"}, "Did you mean overlap"),
        ({"jitter": "often"}, "timedelta"),
        ({"max_runs": 0}, "no limit"),
    ],
)
def test_a_policy_that_is_none_gets_a_sentence(policies: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        Flow("any-flow").set_schedule(DAILY, **policies)  # type: ignore[arg-type]

    assert said in str(refused.value.hint)
