"""A small world in virtual time: agents, a run monitor, clients and a projector on one log in memory, and a saboteur.

Everything that is not decided by the code under test is decided by one seeded source of chance. What the code under test is: the rules,
the whole agent but for its processes, the run monitor, and the operations of clients.
"""

from __future__ import annotations

import logging
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from random import Random

import anyio
from simulation.connection import FAIR, Connection, FaultPlan
from simulation.fake_runs import TASKS, PretendedLauncher, PretendedRun, prepare
from simulation.projection import Projection
from simulation.virtual_time import BEGINNING, LoopClock

from headwater.agents.agent.agent import Agent
from headwater.agents.agent.agent_settings import AgentSettings
from headwater.agents.retry import retry_until_available
from headwater.audit.verify import History, verify_facts
from headwater.core.aggregates import Actor
from headwater.core.errors import IllegalTransition, LogError, NotFound
from headwater.core.events import EdgeSpec, RunCancelRequested, RunSubmitted, StorageReference, TaskSpec, event_type
from headwater.core.log import subjects
from headwater.core.log.memory import MemoryLog
from headwater.core.operations.flow_registration import FlowMetadata
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import RunRequest
from headwater.core.operations.runs import Runs
from headwater.core.runs.set_state import RUN_STATES, TASK_RUN_STATES
from headwater.core.values import identifiers
from headwater.server.monitor import RunMonitor

STORM_SECONDS = 40.0
CALM_SECONDS = 400.0
"""So long after the storm every run must have ended, and every wake-up must be done with."""
LEASE_SECONDS, GRACE_SECONDS = 3.0, 1.0
AGENTS, RUNS, FLOWS = 2, 6, 2
_QUIET = logging.getLogger("simulation.silent")
_QUIET.disabled = True


class Broken(AssertionError):
    """A promise was not kept."""


class SeededIds:
    """Identifiers that the seed decides, in place of those that the machine's time and chance make."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0

    def uuid7(self) -> uuid.UUID:
        self._count += 1
        return uuid.UUID(int=(self._count << 80) | (7 << 76) | (2 << 62) | self._random.getrandbits(62))


@dataclass
class Participant:
    """A program that may be killed: with its connection, and what it runs in."""

    name: str
    connection: Connection
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    launcher: PretendedLauncher | None = None

    def kill(self) -> None:
        self.connection.dead = True
        if self.launcher is not None:
            self.launcher.kill_all()
        self.scope.cancel()


class World:
    """One history, from a seed. `break_it` writes in the end what no program may."""

    def __init__(self, seed: int, *, break_it: bool = False) -> None:
        self._break_it = break_it
        self.random = Random(seed)
        self.clock = LoopClock()
        # The program is this simulation's alone: what would take the machine's time or chance takes ours.
        identifiers.uuid_utils = SeededIds(self.random)  # type: ignore[assignment, attr-defined]
        Actor.__init__.__defaults__ = (self.clock.now,)
        self.log = MemoryLog(clock=self.clock)
        self.events: Counter[str] = Counter()
        self.participants: dict[str, Participant] = {}
        self.projection = Projection()
        self.created: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.is_storm = True
        self._names = 0

    def connect(self) -> Connection:
        return Connection(self.log, self.random, FaultPlan() if self.is_storm else FAIR)

    async def live(self) -> None:
        """Live through the storm and the calm after it.

        Raises:
            Broken: a promise was not kept.

        """
        async with anyio.create_task_group() as group:
            flows = await self._flows()
            for number in range(AGENTS):
                group.start_soon(self._keep_alive, f"agent {number}", self._agent)
            group.start_soon(self._keep_alive, "run-monitor", self._run_monitor)
            group.start_soon(self._keep_alive, "projector", self._projector)
            async with anyio.create_task_group() as storm:
                for number in range(RUNS):
                    storm.start_soon(self._client, f"client-{number}", flows[number % FLOWS])
                storm.start_soon(self._break_things)
            self._calm_down()
            await self._everything_ends()
            group.cancel_scope.cancel()
        if self._break_it:
            await self._claim_an_ended_run()
        await self._check()

    def print_log(self) -> None:
        """Print when who wrote what about what."""
        for recorded in self.log.events._after(">", 0):
            seconds = (recorded.recorded_at - BEGINNING).total_seconds()
            names = ", ".join(event_type(event) for event in recorded.commit.events)
            print(f"{seconds:10.6f} {recorded.position:4} {recorded.subject} {recorded.commit.actor}: {names}")

    # Those who take part

    async def _flows(self) -> list[str]:
        client = Headwater(self.log, Actor("client"))
        await client.projects.create("simulated")
        tasks = tuple(TaskSpec(slug, slug, reference=slug == TASKS[-1]) for slug in TASKS)
        edges = tuple(EdgeSpec(first, second) for first, second in pairwise(TASKS))
        found = []
        for number in range(FLOWS):
            metadata = FlowMetadata(name=f"flow {number}", storage=StorageReference("Local", "/x"), tasks=tasks, edges=edges)
            registered = await client.flows.register(metadata, project_name="simulated")
            found.append(registered.flow_id)
            if self.random.random() < 0.5:
                await client.slots.limit(registered.flow_group_id, 1)
        return found

    async def _keep_alive(self, name: str, serve: Callable[[Participant], Awaitable[None]]) -> None:
        """Have one running, another one some time after each death."""
        while True:
            participant = Participant(name, self.connect())
            self.participants[name] = participant
            with participant.scope:
                try:
                    await serve(participant)
                except* LogError:  # as a service manager does it: once more
                    pass
            participant.kill()
            self.events[f"{name} ended"] += 1
            await anyio.sleep(self.random.random() * (6.0 if self.is_storm else 1.0))

    async def _agent(self, participant: Participant) -> None:
        launcher = participant.launcher = PretendedLauncher(self.connect, self.random)
        settings = AgentSettings(name=participant.name, kind="pretended", limit=3, lease_seconds=LEASE_SECONDS, grace_seconds=GRACE_SECONDS)
        await Agent(participant.connection, settings, launcher, prepare, console_log=_QUIET, clock=self.clock.now).serve()

    async def _run_monitor(self, participant: Participant) -> None:
        await RunMonitor(participant.connection, clock=self.clock.now).serve()

    async def _projector(self, participant: Participant) -> None:
        async with participant.connection.events.follow(">", after=self.projection.position) as batches:
            async for batch in batches:
                self.projection.apply(batch)

    async def _client(self, key: str, flow_id: str) -> None:
        """Create a run, however often it must be said, and sometimes want something else of it."""
        await anyio.sleep(self.random.random() * STORM_SECONDS / 2)
        client = Headwater(self.connect(), Actor(key))
        later = timedelta(seconds=self.random.choice([-5.0, 0.0, 0.0, 0.0, 4.0, 15.0]))
        request = RunRequest(due_at=self.clock.now() + later, idempotency_key=key, attempts_max=self.random.choice([2, 3, 5]))
        created = await retry_until_available(lambda: client.runs.create(flow_id, request), "a run")
        self.created[key] = created.run_id
        for _ in range(self.random.choice([0, 0, 1, 2])):
            await anyio.sleep(self.random.random() * 10)
            await self._change_a_mind(client.runs, created.run_id)

    async def _change_a_mind(self, runs: Runs, run_id: str) -> None:
        start_time = self.clock.now() + timedelta(seconds=self.random.random() * 10)
        wish = self.random.choice(["cancel", "reschedule", "restart", "resume", "set state", "set task state"])
        self.events[wish] += 1
        try:
            if wish == "cancel":
                outcome = await retry_until_available(lambda: runs.cancel(run_id), wish)
                if outcome.state.cancel_requested:
                    self.cancelled.add(run_id)
            elif wish == "reschedule":
                await retry_until_available(lambda: runs.reschedule(run_id, start_time), wish)
            elif wish == "resume":
                await retry_until_available(lambda: runs.resume(run_id), wish)
            elif wish == "set state":
                state = self.random.choice(RUN_STATES)
                await retry_until_available(lambda: runs.set_state(run_id, state, reason="by hand"), wish)
            elif wish == "set task state":
                task, state = self.random.choice(TASKS), self.random.choice(TASK_RUN_STATES)
                await retry_until_available(lambda: runs.set_task_run_state(run_id, task, state, reason="by hand"), wish)
            else:
                await retry_until_available(lambda: runs.restart(run_id), wish)
        except (IllegalTransition, NotFound):
            self.events[f"{wish} refused"] += 1

    # What goes wrong

    async def _break_things(self) -> None:
        mishaps = (
            self._kill,
            self._kill,
            self._freeze,
            self._cut,
            self._kill_a_run,
            self._kill_a_run,
            self._freeze_a_run,
            self._restart_the_broker,
            self._lose_the_queues,
        )
        async with anyio.create_task_group() as group:
            with anyio.move_on_after(STORM_SECONDS):
                while True:
                    await anyio.sleep(self.random.expovariate(0.8))
                    mishap = self.random.choice(mishaps)
                    self.events[mishap.__name__.strip("_").replace("_", " ")] += 1
                    mishap(group.start_soon)
            group.cancel_scope.cancel()

    def _a_participant(self) -> Participant:
        return self.random.choice(list(self.participants.values()))

    def _kill(self, _: Callable[..., object]) -> None:
        self._a_participant().kill()

    def _freeze(self, start: Callable[..., object]) -> None:
        start(self._freeze_for_some_time, self._a_participant().connection)

    def _cut(self, start: Callable[..., object]) -> None:
        start(self._cut_for_some_time, self._a_participant().connection)

    def _kill_a_run(self, _: Callable[..., object]) -> None:
        if runs := self._alive_runs():
            self.random.choice(runs).kill()

    def _freeze_a_run(self, start: Callable[..., object]) -> None:
        if runs := self._alive_runs():
            start(self._freeze_for_some_time, self.random.choice(runs).connection)

    def _alive_runs(self) -> list[PretendedRun]:
        launchers = [each.launcher for each in self.participants.values() if each.launcher is not None]
        return [run for launcher in launchers for run in launcher.alive()]

    def _restart_the_broker(self, _: Callable[..., object]) -> None:
        self.log.restart_broker()

    def _lose_the_queues(self, _: Callable[..., object]) -> None:
        self.log.queues.lose_everything()

    async def _freeze_for_some_time(self, connection: Connection) -> None:
        connection.freeze()
        try:
            await anyio.sleep(self.random.random() * 3 * LEASE_SECONDS)
        finally:
            connection.thaw()

    async def _cut_for_some_time(self, connection: Connection) -> None:
        connection.cut()
        try:
            await anyio.sleep(self.random.random() * 3 * LEASE_SECONDS)
        finally:
            connection.mend()

    def _calm_down(self) -> None:
        self.is_storm = False
        for participant in self.participants.values():
            participant.connection.weather = FAIR
            for run in participant.launcher.alive() if participant.launcher is not None else ():
                run.connection.weather = FAIR

    # What must hold

    async def _everything_ends(self) -> None:
        unfinished: list[str] = []
        with anyio.move_on_after(CALM_SECONDS):
            history = History()
            while True:
                for recorded in self.log.events._after(">", history.position):
                    history.take(recorded)
                runs = {run_id: found.state for run_id, found in history.runs.items()}
                unfinished = [f"{run_id}: {runs[run_id].state}, attempt {runs[run_id].attempt}" for run_id in history.unfinished]
                if not unfinished:
                    unfinished = [f"{run_id}: a wake-up is left" for run_id in await self.log.queues.waiting_runs()]
                if not unfinished:
                    unfinished = [f"a slot is left: {slots.attempts}" for slots in history.slots.values() if slots.attempts]
                await self._resume_what_waits_for_people([run_id for run_id in history.unfinished if runs[run_id].state == "Paused"])
                if not unfinished and self.projection.position == history.position:
                    return
                await anyio.sleep(1.0)
        raise Broken("stuck: " + "; ".join(unfinished or ["the projector"]))

    async def _resume_what_waits_for_people(self, paused: list[str]) -> None:
        connection = self.connect()
        for run_id in paused:
            self.events["resumed in the end"] += 1
            await Headwater(connection, Actor("somebody patient")).runs.resume(run_id)

    async def _check(self) -> None:
        history = await verify_facts(self.log.events)
        if history.violations:
            raise Broken("; ".join(f"{each.promise} at {each.positions}: {each.words}" for each in history.violations))
        runs = {run_id: found.state for run_id, found in history.runs.items()}
        if set(runs) != set(self.created.values()) or len(set(self.created.values())) != RUNS:
            raise Broken(f"runs acknowledged {sorted(self.created.values())}, and in the log {sorted(runs)}")
        fresh = Projection()
        fresh.apply(await self.log.events.read(">"))
        if fresh.rows != self.projection.rows:
            raise Broken("the projector's rows are not those of a fresh fold")
        for run_id in self.cancelled:
            await self._check_cancelled(run_id)
        self.events["commits"] = history.commits
        self.events["attempts"] = sum(run.attempt for run in runs.values())

    async def _claim_an_ended_run(self) -> None:
        subject = subjects.run(next(iter(self.created.values())))
        last = (await self.log.events.read(subject))[-1].position
        await self.log.events.append(subject, Actor("nobody").commit([RunSubmitted(1, "nobody")]), expected=last)

    async def _check_cancelled(self, run_id: str) -> None:
        """An acknowledged cancel is in the log."""
        recorded = await self.log.events.read(subjects.run(run_id))
        if not any(isinstance(event, RunCancelRequested) for each in recorded for event in each.commit.events):
            raise Broken(f"the cancel of {run_id} was acknowledged and is not in the log")
