"""What a client in the code of a flow reads, appends and follows through its supervisor is what it would with a connection of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

import anyio
import msgspec
import pytest
from contract import test_append, test_follow, test_read
from harness.brokers import Breakable, Broker, InMemory, OneNode
from harness.commits import AT, a_commit, an_item
from harness.scenario import ACTOR, create_flow, create_run
from harness.servers import NatsNode
from harness.views_fixtures import hosted

from headwater.agents.attempt_channel import channel_pair
from headwater.agents.log_calls import AskTail, CallRefused, error_of, refusal_of
from headwater.agents.run_process.supervised_log import SupervisedLog
from headwater.agents.run_process.supervisor_link import SupervisorLink
from headwater.agents.supervisor import attempt_session, log_service
from headwater.agents.supervisor.attempt_session import AttemptSession, SessionListener
from headwater.agents.supervisor.log_service import LogService
from headwater.agents.supervisor_protocol import Attend
from headwater.core import errors
from headwater.core.errors import HeadwaterError, InvalidArgument, RequestTimeout
from headwater.core.log import subjects
from headwater.core.log.protocol import Log, LogLine
from headwater.core.operations.run_lookup import load_run
from headwater.core.runs.commands import ClaimRun
from headwater.core.values.identifiers import new_id


async def held_run(log: Log) -> str:
    """A run that an agent holds; which one, many may read."""
    run_id = (await create_run(log, (await create_flow(log)).flow_id)).run_id
    await (await load_run(log.events, run_id)).execute(ClaimRun(1, "agent-1"), ACTOR)
    return run_id


@asynccontextmanager
async def supervised(log: Log, run_id: str, services: list[LogService]) -> AsyncIterator[SupervisedLog]:
    """The log as the process of this run has it; what serves it is added to `services`."""
    theirs, ours = channel_pair()
    theirs.setblocking(False)
    reasons: list[str] = []
    session = AttemptSession(Attend(1, run_id, 1), theirs, SessionListener(lambda: None, lambda _: None, reasons.append))

    async def opened() -> Log:
        return log

    async with anyio.create_task_group() as group:
        group.start_soon(session.serve, opened)
        link = SupervisorLink(ours)
        await anyio.to_thread.run_sync(link.begin)
        while session.log_service is None:
            await anyio.lowlevel.checkpoint()
        services.append(session.log_service)
        yield SupervisedLog(link, log.url)
        session.note_process_ended()
    ours.close()
    assert not reasons


class SupervisedBreakable(Breakable):
    def __init__(self, log: Log, breakable: Breakable) -> None:
        self.log = log
        self._breakable = breakable

    def lose_the_reply_to(self, subject: str) -> None:
        self._breakable.lose_the_reply_to(subject)

    def cut(self) -> None:
        self._breakable.cut()

    @property
    def work_lost(self) -> int:
        return self._breakable.work_lost


class Supervised(Broker):
    """A log through the supervisor of a run; what is broken is the supervisor's connection."""

    def __init__(self, broker: Broker) -> None:
        self.name = broker.name
        self._broker = broker
        self._run_id = ""
        self.services: list[LogService] = []
        self.direct = broker.open

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Log]:
        async with self._broker.open() as log:
            self._run_id = self._run_id or await held_run(log)
            async with hosted(supervised(log, self._run_id, self.services)) as opened:
                yield opened

    @asynccontextmanager
    async def open_breakable(self) -> AsyncIterator[Breakable]:
        async with self._broker.open_breakable() as breakable, hosted(supervised(breakable.log, self._run_id, self.services)) as opened:
            yield SupervisedBreakable(opened, breakable)

    def kill(self) -> None:
        self._broker.kill()

    def restart(self) -> None:
        self._broker.restart()


@pytest.fixture(scope="module", params=["memory", "one node"])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    if request.param == "memory":
        yield Supervised(InMemory())
        return
    node = NatsNode(tmp_path_factory.mktemp("node"))
    node.start()
    yield Supervised(OneNode(node))
    node.kill()


LEFT_OUT = (
    test_append.test_a_run_is_created_by_a_wake_up_and_an_append_under_way_at_once,
    test_read.test_the_subjects_that_match_a_pattern_are_read_in_the_order_of_their_appends,
)
"""What clients do not do: the first binds a queue, and an answer to the second has no bounds."""
for suite in (test_read, test_append, test_follow):
    tests = {name: test for name, test in vars(suite).items() if name.startswith("test_") or name == "followed"}
    globals().update({name: test for name, test in tests.items() if test not in LEFT_OUT})


async def test_wake_ups_are_stored_and_looked_for(log: Log, queue_id: str) -> None:
    waiting, timed = an_item(queue_id), an_item(queue_id)
    await log.queues.enqueue(waiting)
    await log.queues.set_timer(timed, due=datetime.now(UTC) + timedelta(hours=1))

    assert {waiting.run_id, timed.run_id} <= await log.queues.waiting_runs()
    assert await log.queues.is_waiting(waiting.run_id)
    assert not await log.queues.is_waiting(waiting.run_id, generation=7)
    await log.queues.cancel_timer(timed.run_id)
    assert timed.run_id not in await log.queues.waiting_runs()


async def test_lines_of_runs_are_read_and_followed(broker: Supervised, log: Log) -> None:
    run_id, line = new_id(), LogLine(AT, 20, "headwater.task", "Grüße")
    async with broker.direct() as direct, log.logs.follow(run_id) as messages:
        position = await direct.logs.write(run_id, 1, [line])

        [followed] = await anext(messages)
        assert (followed.position, followed.lines) == (position, (line,))
        assert await log.logs.read(run_id) == [followed]
        assert await log.logs.read(run_id, after=position) == []


async def test_questions_reach_who_answers_them_and_so_do_messages(broker: Supervised, log: Log) -> None:
    subject = f"hw.test.{new_id()}"
    async with broker.direct() as direct, direct.subscribe(subject) as messages, anyio.create_task_group() as group:

        async def answer() -> None:
            async for message in messages:
                await message.respond(message.data.upper())

        group.start_soon(answer)
        assert await log.request(subject, b"question", timeout=10) == b"QUESTION"
        group.cancel_scope.cancel()
    with pytest.raises(RequestTimeout) as raised:
        await log.request(subject, b"question", timeout=0.1)
    assert raised.value.subject == subject
    async with broker.direct() as direct, direct.subscribe(subject) as messages:
        await log.publish(subject, b"news")
        assert (await anext(messages)).data == b"news"


async def next_of(commits: AsyncIterator[object]) -> None:
    await anext(commits)


async def test_a_call_that_is_given_up_ends_at_the_supervisor(broker: Supervised, log: Log) -> None:
    before = len(broker.services[-1]._underway)
    async with log.events.follow(subjects.run(new_id())) as commits, anyio.create_task_group() as group:
        group.start_soon(next_of, commits)
        while len(broker.services[-1]._underway) == before:
            await anyio.lowlevel.checkpoint()
        group.cancel_scope.cancel()
    with anyio.fail_after(30):
        while len(broker.services[-1]._underway) > before:
            await anyio.lowlevel.checkpoint()


async def test_reads_that_are_given_up_make_way_for_others(broker: Supervised, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    service = broker.services[-1]
    never = anyio.Event()

    async def hanging(*_: object, **__: object) -> list[object]:
        await never.wait()
        return []

    with monkeypatch.context() as patched:
        patched.setattr(service._log.events, "read", hanging)
        for _ in range(3 * log_service.READS_MAX):
            with anyio.move_on_after(0.01):
                await log.events.read(subjects.run(new_id()))
        with anyio.fail_after(30):
            while service._underway:
                await anyio.lowlevel.checkpoint()
    assert await log.events.read(subjects.run(new_id())) == []


async def test_code_that_calls_without_end_gets_an_error(broker: Supervised, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_service, "CALLS_MAX", 3)
    async with log.events.follow(subjects.run(new_id())) as commits, anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(next_of, commits)
        while len(broker.services[-1]._underway) < 3:
            await anyio.lowlevel.checkpoint()
        with pytest.raises(HeadwaterError, match="3 calls of this run are under way"):
            await log.events.tail()
        group.cancel_scope.cancel()
    while broker.services[-1]._underway:
        await anyio.lowlevel.checkpoint()
    assert (await log.events.tail()).identity


async def test_what_is_for_agents_and_servers_is_refused(log: Log, queue_id: str) -> None:
    refused: list[Callable[[], object]] = [
        lambda: log.queues.bind(queue_id, lease_seconds=1),
        log.queues.work_lost,
        lambda: log.subscribe("hw.>"),
        lambda: log.dead_letters,
    ]
    for attempt in refused:
        with pytest.raises(InvalidArgument, match="for agents and servers"):
            attempt()
    with pytest.raises(InvalidArgument, match="for agents and servers"):
        await log.logs.write(new_id(), 1, [])
    with pytest.raises(InvalidArgument, match="more than one subject"):
        await log.events.read(subjects.RUNS_ALL)


TOO_LONG = ("x" * 5_000, f"hw.evt.run.{'x' * 5_000}", "ü" * 1_990, f"hw.evt.run.{'ü' * 1_990}")
ODD_SUBJECTS = ("", ".", "a..b", "a b", "a\tb", "a\r\nPUB x 0\r\n", *TOO_LONG)


@pytest.mark.parametrize("subject", ODD_SUBJECTS, ids=lambda subject: repr(subject[:12]))
async def test_no_subject_ends_the_connection_of_the_supervisor(broker: Supervised, log: Log, subject: str) -> None:
    if broker.name == "memory":
        pytest.skip("it has no connection")
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: log.publish(subject, b""),
        lambda: log.request(subject, b"", timeout=0.2),
        lambda: log.events.read(subject),
        lambda: log.events.last(subject),
        lambda: log.events.last_of_each(subject),
        lambda: log.events.append(subject, a_commit(), expected=0),
        lambda: log.logs.read(subject),
        lambda: log.queues.is_waiting(subject),
    ]
    for call in calls:
        with suppress(HeadwaterError):
            await call()
    for follow in (log.events.follow, log.logs.follow):
        async with follow(subject) as news:
            with suppress(HeadwaterError), anyio.move_on_after(1):
                await anext(news)

    with anyio.fail_after(10):
        assert (await log.events.tail()).identity


async def test_a_process_that_reads_no_answers_is_not_kept_answers_without_end(broker: Supervised, log: Log) -> None:
    link, service = log._caller._link, broker.services[-1]  # type: ignore[attr-defined]
    with anyio.move_on_after(10) as calling:
        async with anyio.create_task_group() as group:

            async def call() -> None:
                while True:
                    await anyio.to_thread.run_sync(link.send_call, link.next_number(), AskTail(), abandon_on_cancel=True)

            group.start_soon(call)
            while len(service._underway) <= 2 * log_service.CALLS_MAX:
                await anyio.lowlevel.checkpoint()
            group.cancel_scope.cancel()
    assert not calling.cancelled_caught
    assert len(service._underway) <= 2 * log_service.CALLS_MAX + attempt_session.PIECES_AT_ONCE


ERRORS = (
    errors.Conflict("hw.evt.run.x", expected=3, found=None),
    errors.OutcomeUnknown("c", "no answer", log_problem="the disk is full"),
    errors.LogUnavailable("nats://127.0.0.1:1", "refused"),
    errors.LogNotWritable("nats://127.0.0.1:1", "a majority is missing"),
    errors.RequestTimeout("hw.ask", "nobody listens", maybe_received=False),
    errors.AuthenticationFailed("nats://127.0.0.1:1", sent=True),
    errors.LogFull("no space"),
    errors.CommitTooLarge(10, 9),
    errors.CommitUnreadable("garbage"),
    errors.StreamMissing("EVENTS"),
    errors.InvalidArgument("This cannot be recorded.", hint="Record something else."),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_error_of_the_log_is_raised_as_what_it_is(error: HeadwaterError) -> None:
    if isinstance(error, errors.LogUnavailable):
        error.maybe_stored = True
    travelled = error_of(msgspec.json.decode(msgspec.json.encode(refusal_of(error)), type=CallRefused))

    assert (str(travelled), travelled.hint) == (str(error), error.hint)
    if not isinstance(error, errors.AuthenticationFailed):
        assert type(travelled) is type(error)
        assert {name: value for name, value in vars(travelled).items() if name != "advice"} == {
            name: value for name, value in vars(error).items() if name != "advice"
        }
