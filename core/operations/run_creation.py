"""Creating runs: what is asked for, what it leads to, and how a creation that was begun is completed by the agent that is woken for it."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from headwater.core.aggregates import Actor, Aggregate
from headwater.core.errors import (
    CommitUnreadable,
    Conflict,
    InvalidArgument,
    InvalidName,
    LogError,
    LogUnavailable,
    OutcomeUnknown,
    RunNotCreated,
    RunUnknown,
)
from headwater.core.events import FlowRegistered, RunAttemptsLimited, RunCreated, RunScheduled, ScheduledBy
from headwater.core.flows.state import FlowGroup
from headwater.core.log import subjects
from headwater.core.log.commit import Commit, Position
from headwater.core.log.protocol import EventLog, Log, WorkItem
from headwater.core.operations.flow_catalogue import FlowCatalogue
from headwater.core.operations.queues import Queues
from headwater.core.operations.run_lookup import load_run, run
from headwater.core.operations.wake_ups import schedule_wake_up, send_wake_up
from headwater.core.program.concurrency import gather
from headwater.core.runs import rules as run_rules
from headwater.core.runs.commands import CreateRun, RunCommand
from headwater.core.runs.parameters import run_parameters, with_defaults
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import derived_id, new_id
from headwater.core.values.json_values import json_problem
from headwater.core.values.labels import label_set, queue_id
from headwater.core.values.limits import TIME_MAX, TIME_MIN, is_instant
from headwater.core.values.moments import assume_utc
from headwater.core.values.names import generated_name, valid_name

_NAMES = random.SystemRandom()
_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class RunRequest:
    """What a caller asks for who wants a run. None means: as the flow has it, or as Headwater chooses.

    `due_at` is in UTC where it names no time zone; one in the past means now. `idempotency_key`: the same key on the
    same flow version names the same run, for ever. The run fails when `attempts_max` of its attempts were lost. `run_id` and `scheduled_by`
    are those of a run that a schedule makes.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    labels: Iterable[str] | None = None
    name: str | None = None
    context: Mapping[str, Any] = field(default_factory=dict)
    run_config: Mapping[str, Any] | None = None
    due_at: datetime | None = None
    idempotency_key: str | None = None
    attempts_max: int | None = None
    run_id: str | None = None
    scheduled_by: ScheduledBy | None = None


@dataclass(frozen=True)
class CreatedRun:
    """A run that exists. `new` is false where the idempotency key named one that was there."""

    run_id: str
    name: str
    labels: tuple[str, ...]
    parameters: Mapping[str, Any]
    context: Mapping[str, Any]
    due_at: datetime
    position: Position
    new: bool = True


class RunCreation:
    """Creates runs on one log, by what the catalogue has learned of flows, projects and queues."""

    def __init__(self, log: Log, catalogue: FlowCatalogue) -> None:
        self._log = log.events
        self._queues = log.queues
        self._catalogue = catalogue

    async def create(self, flow_id: str, request: RunRequest, actor: Actor) -> CreatedRun:
        """Create a run of this flow version (or of the newest, where the id is a flow group's). It is on disk when this returns.

        Raises:
            NotFound, FlowArchived, InvalidArgument, InvalidName: nothing was written.
            LogError: as the log's `append`; where the outcome is unknown, repeating with an idempotency key is safe.

        """
        return await self.write(await self.prepare(flow_id, request, actor), actor)

    async def prepare(self, flow_id: str, request: RunRequest, actor: Actor) -> CreateRun:
        """Return the creation that `write` would write: nothing is written yet.

        Raises:
            NotFound, FlowArchived, InvalidArgument, InvalidName: such a run cannot be.

        """
        version, group, project_name = await self._catalogue.resolve_active(flow_id)
        return creation(version, group, project_name, request, now=actor.clock())

    async def write(self, command: CreateRun, actor: Actor) -> CreatedRun:
        """Create the run. It is on disk when this returns.

        Raises:
            LogError: as the log's `append`; where the outcome is unknown, repeating is safe where the run's id is not by chance.

        """
        if command.created.queue_id not in self._catalogue.open_queues:
            try:
                await Queues(self._log, actor).open(command.created.labels)
            except OutcomeUnknown as unknown:
                raise RunNotCreated(unknown) from unknown
            self._catalogue.open_queues.add(command.created.queue_id)
        commit = actor.commit(run_rules.RULES.decide(run_rules.RULES.initial, command))
        item = WorkItem(run_id=command.created.run_id, queue_id=command.created.queue_id, generation=1, creation=commit)
        return await self._write(command, commit, item)

    async def _write(self, command: CreateRun, commit: Commit, item: WorkItem) -> CreatedRun:
        """Send wake-up and creation together. An agent woken before the creation is there completes it from the wake-up."""
        if command.created.idempotency_key is not None and (found := await run(self._log, command.created.run_id).refresh()).exists:
            return _existing(command.created.run_id, found)

        failed: LogError | None = None

        async def wake() -> None:
            nonlocal failed
            if _waits_for_another(command.created):
                return  # the server wakes it when that has ended
            try:
                await send_wake_up(self._queues, item, due=command.due_at, now=commit.at)
            except LogError as error:
                failed = error

        async def create() -> Position | LogError:
            try:
                return await self._log.append(subjects.run(command.created.run_id), commit, expected=0)
            except LogError as error:
                return error

        # Each to its end, also where the other fails: what became of both must be known.
        _, created = await gather(wake(), create())
        if isinstance(created, Conflict):
            # Another creation with this key was first, perhaps for another time: its wake-up must be the one that is set.
            other = await load_run(self._log, command.created.run_id)
            await schedule_wake_up(self._queues, other.state, now=commit.at)
            return _existing(command.created.run_id, other.state)
        if isinstance(created, LogError):
            may_be_woken = not _waits_for_another(command.created) and (
                failed is None or isinstance(failed, OutcomeUnknown) or (isinstance(failed, LogUnavailable) and failed.maybe_stored)
            )
            if may_be_woken or isinstance(created, OutcomeUnknown):
                # The agent that gets the wake-up may complete the creation: it would be untrue that nothing was written.
                raise RunUnknown(
                    commit.id, command.created.run_id, created, has_key=command.created.idempotency_key is not None
                ) from created
            raise created
        if failed is not None:
            # The run is there; it is woken by the server, which looks for runs that nothing wakes.
            _log.warning("Run %s was created, and its wake-up was not stored: %s", command.created.run_id, failed)
        position = created
        created_event = command.created
        return CreatedRun(
            created_event.run_id,
            created_event.name,
            created_event.labels,
            created_event.parameters,
            created_event.context,
            command.due_at,
            position,
        )


def _existing(run_id: str, state: Run) -> CreatedRun:
    created = state.created
    return CreatedRun(
        run_id,
        state.name,
        created.labels,
        created.parameters,
        created.context,
        state.scheduled_for or datetime.min.replace(tzinfo=UTC),
        position=0,
        new=False,
    )


def _waits_for_another(created: RunCreated) -> bool:
    return created.scheduled_by is not None and created.scheduled_by.after_run_id is not None


def creation(version: FlowRegistered, group: FlowGroup, project_name: str, request: RunRequest, *, now: datetime) -> CreateRun:
    """Choose all of the run: what was asked for goes before what the flow says, and that before what the version was registered with."""
    key = request.idempotency_key
    for name, value in request.context.items():
        if (problem := json_problem({name: value})) is not None:
            raise InvalidArgument(f"The context value {name!r} is not JSON: {problem}.")
    if (problem := json_problem(request.run_config)) is not None:
        raise InvalidArgument(f"The run config is not JSON: {problem}.")
    if (problem := json_problem(key)) is not None:
        raise InvalidArgument(f"The idempotency key cannot be stored: {problem}.")
    due_at = now if request.due_at is None else assume_utc(request.due_at)
    if not is_instant(due_at):
        raise InvalidArgument(f"The start time {due_at.isoformat()} is not between the years {TIME_MIN.year} and {TIME_MAX.year}.")
    run_id = request.run_id or (new_id() if key is None else derived_id("run", version.flow_id, key))
    given_config = version.run_config if request.run_config is None else request.run_config
    own_labels = version.labels if group.labels is None else group.labels
    labels = label_set(own_labels if request.labels is None else request.labels)
    created = RunCreated(
        run_id=run_id,
        flow_id=version.flow_id,
        flow_group_id=version.flow_group_id,
        project_id=version.project_id,
        project_name=project_name,
        flow_name=version.name,
        flow_version=version.flow_version,
        name=_name(request, run_id),
        queue_id=queue_id(labels),
        storage=version.storage,
        labels=labels,
        parameters=run_parameters(with_defaults(version.parameters, group.default_parameters), request.parameters),
        context=dict(request.context),
        run_config=dict(given_config),
        idempotency_key=key,
        scheduled_by=request.scheduled_by,
    )
    attempts_max = group.attempts_max if request.attempts_max is None else request.attempts_max
    return CreateRun(created, max(due_at.astimezone(UTC), now), attempts_max)


def _name(request: RunRequest, run_id: str) -> str:
    """Return the name that was asked for, or two words: always the same ones where a key names the run."""
    if request.name is not None:
        return request.name
    return generated_name(_NAMES if request.idempotency_key is None and request.run_id is None else random.Random(run_id))  # noqa: S311


async def complete_creation(log: EventLog, item: WorkItem) -> Aggregate[Run, RunCommand] | None:
    """Return the run that a wake-up is for, creating it from the wake-up where its creator did not get that far.

    Returns None where the run neither exists nor can be made: the wake-up means nothing.

    Raises:
        CommitUnreadable: what the wake-up carries is not the creation of this run, and nothing but that.

    """
    if item.creation is not None and (problem := creation_problem(item, item.creation)) is not None:
        raise CommitUnreadable(problem)
    woken = run(log, item.run_id)
    if (await woken.refresh()).exists:
        return woken
    if item.creation is None:
        return None
    try:
        await log.append(woken.subject, item.creation, expected=0)
    except Conflict as conflict:
        await woken.refresh(at_least=conflict.found or 1)
    else:
        await woken.refresh()
    return woken


def creation_problem(item: WorkItem, creation: Commit) -> str | None:
    """Return why a commit is not the creation that this wake-up may carry, or None where it is: the agent woken writes it as it is."""
    created, *limited, scheduled = creation.events if len(creation.events) > 1 else (None, None)
    if not isinstance(created, RunCreated) or not isinstance(scheduled, RunScheduled):
        return "The commit that the wake-up carries does not create a run."
    if len(limited) > 1 or not all(isinstance(event, RunAttemptsLimited) and event.attempts_max > 0 for event in limited):
        return "The commit that the wake-up carries does more than to create a run."
    try:
        valid_name(created.name, kind="run")
        queue = queue_id(created.labels)
    except InvalidName as error:
        return f"The run that the wake-up carries cannot be: {error}"
    if created.run_id != item.run_id:
        return f"The wake-up of run {item.run_id} carries the creation of run {created.run_id}."
    if not created.queue_id == item.queue_id == queue:
        return f"The wake-up in queue {item.queue_id} carries a run whose labels belong to queue {queue}."
    if scheduled.generation != 1 or item.generation != 1:
        return "The wake-up carries a run that was scheduled before it was created."
    return None
