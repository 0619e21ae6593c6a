"""The client for asynchronous code, and the core of the synchronous one: commands to the log, questions to the views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from headwater.core.errors import InvalidArgument
from headwater.core.hints import ListFlowsAction, hint
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log
from headwater.core.operations.headwater import Headwater
from headwater.core.operations.run_creation import CreatedRun, RunRequest
from headwater.core.program.settings import ConnectionSettings, connection_settings
from headwater.core.queries.rows import LogRow
from headwater.core.queries.views_client import ViewsClient
from headwater.core.runs.inline_result import inline_result
from headwater.core.runs.task_run import TaskRun
from headwater.core.values.identifiers import parsed_task_run_id, split_flow_id
from headwater.core.values.moments import assume_utc
from headwater.sdk.client.identity import actor_of
from headwater.sdk.client.log_source import log_of
from headwater.sdk.client.run_info import FlowRunInfo, page_of_flow, page_of_run, read_run, run_info, state_of, task_state_of
from headwater.sdk.client.run_logs import read_logs
from headwater.sdk.client.schedule_calls import AsyncScheduleCalls
from headwater.sdk.run_configs.base import RunConfig

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.states.state import State


class AsyncClient(AsyncScheduleCalls):
    """Talks to one Headwater server. Use it as `async with AsyncClient() as client:`.

    Reads your own writes: `position` is the highest that this client has written, and its questions to the views wait until they
    show it.

    Args:
        nats_url: the server's address; by default the environment's, or that of the server of the home.
        key: the server's key; by default found as the address is.
        home: the home whose server is meant.

    Raises (entering the block, and every method):
        LogUnavailable: no server answers within 3 seconds.
        AuthenticationFailed: the server wants another key.

    """

    def __init__(self, nats_url: str | None = None, key: str | None = None, *, home: Path | str | None = None) -> None:
        self._connect_to(connection_settings(nats_url, key, home), program="client")

    @classmethod
    def of(cls, settings: ConnectionSettings, *, program: str) -> Self:
        """Return a client with these settings; `program` says in the audit trail what kind of program writes."""
        client = cls.__new__(cls)
        client._connect_to(settings, program=program)  # noqa: SLF001 - its own other constructor
        return client

    def _connect_to(self, settings: ConnectionSettings, *, program: str) -> None:
        self.settings = settings
        self.actor = actor_of(program)
        self.position: Position = 0
        self._program = program
        self._stack = AsyncExitStack()
        self._log: Log | None = None
        self._headwater: Headwater | None = None

    async def __aenter__(self) -> Self:
        self._log = await self._stack.enter_async_context(log_of(self.settings, name=f"headwater {self._program}"))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._log = self._headwater = None
        await self._stack.aclose()

    @property
    def log(self) -> Log:
        """The connection to the log.

        Raises:
            InvalidArgument: the client is not open.

        """
        if self._log is None:
            raise InvalidArgument("The client is not open.", hint="Use it inside `async with AsyncClient() as client:`.")
        return self._log

    @property
    def headwater(self) -> Headwater:
        """The log as this client works with it."""
        if self._headwater is None:
            self._headwater = Headwater(self.log, self.actor)
        return self._headwater

    @property
    def views(self) -> ViewsClient:
        """Questions to the views. Give `at_least=client.position` to see what this client wrote."""
        return ViewsClient(self.log)

    def note_position(self, position: Position) -> None:
        """Remember that this client has written up to there."""
        self.position = max(self.position, position)

    async def create_project(self, project_name: str, project_description: str | None = None) -> str:
        """Create a project and return its id; of one that exists, return the id and change nothing.

        Raises:
            InvalidName: the name is empty, too long or holds control characters.

        """
        change = await self.headwater.projects.create(project_name, description=project_description or "", skip_if_exists=True)
        self.note_position(change.position)
        return change.project_id

    async def delete_project(self, project_name: str) -> bool:
        """Delete a project; its flows take no new runs. Returns whether this call did it.

        Raises:
            NotFound: there is no such project.

        """
        project_id = await self.headwater.projects.find(project_name)
        change = await self.headwater.projects.delete(project_id)
        self.note_position(change.position)
        return change.changed

    async def register(  # noqa: PLR0917 - as tutorials call it
        self,
        flow: Flow,
        project_name: str,
        build: bool = True,
        set_schedule_active: bool | None = None,
        version_group_id: str | None = None,
        idempotency_key: str | None = None,
        no_url: bool = False,
        labels: Iterable[str] | None = None,
        **storage_kwargs: Any,
    ) -> str:
        """Store the flow's code on this side, register its metadata, print where it is to be found, and return the version's id.

        As `Flow.register`.
        """
        from headwater.sdk.client.registration import announce, register

        done = await register(
            self,
            flow,
            project_name,
            build=build,
            set_schedule_active=set_schedule_active,
            version_group_id=version_group_id,
            idempotency_key=idempotency_key,
            labels=labels,
            storage_kwargs=storage_kwargs,
        )
        announce(done, self.settings.http_url, with_url=not no_url)
        return done.flow_id

    async def create_flow_run(  # noqa: PLR0917 - as tutorials call it
        self,
        flow_id: str | None = None,
        context: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        run_config: Any = None,
        labels: Iterable[str] | None = None,
        scheduled_start_time: datetime | None = None,
        idempotency_key: str | None = None,
        run_name: str | None = None,
        version_group_id: str | None = None,
    ) -> str:
        """Create a run of a flow and return its id.

        Args:
            flow_id: a flow version's id, or a flow group's: then its newest version is run.
            context: values for `headwater.context` during the run.
            parameters: values of the flow's parameters; the others have the defaults set for the flow, or those of the version.
            run_config: replaces the flow's.
            labels: replace the run configuration's, those set for the flow, and the version's.
            scheduled_start_time: when the run is due; now by default. Without a time zone it is in UTC.
            idempotency_key: the same key on the same flow version names the same run, for ever.
            run_name: two words are chosen where none is given.
            version_group_id: a flow group's id, instead of `flow_id`.

        Raises:
            NotFound: there is no such flow.
            FlowArchived: this version takes no runs.
            InvalidArgument: a parameter is missing, unknown or not JSON, or the arguments contradict each other.
            NoAgentForRunConfig: there are no agents for this run config yet.

        """
        if (flow_id is None) == (version_group_id is None):
            raise InvalidArgument(
                "A run needs either flow_id or version_group_id.", hint=hint("{} lists flows with their ids.", ListFlowsAction())
            )
        settings = _run_settings(run_config)
        created = await self.create_run(
            flow_id or version_group_id or "",
            RunRequest(
                parameters=parameters or {},
                labels=settings.get("labels") or None if labels is None else _several("labels", labels),
                name=run_name,
                context=context or {},
                run_config=settings or None,
                due_at=None if scheduled_start_time is None else assume_utc(scheduled_start_time),
                idempotency_key=idempotency_key,
            ),
        )
        return created.run_id

    async def create_run(self, flow_id: str, request: RunRequest) -> CreatedRun:
        """Create a run and return all that was chosen for it. Raises as `create_flow_run`."""
        created = await self.headwater.runs.create(flow_id, request)
        self.note_position(created.position)
        return created

    async def get_flow_run_info(self, flow_run_id: str) -> FlowRunInfo:
        """Return all about a run and its task runs. Read from the log: it needs no views and is never behind.

        Raises:
            InvalidArgument, NotFound: there is no such run.

        """
        return await run_info(self.log.events, flow_run_id)

    async def get_flow_run_state(self, flow_run_id: str) -> State:
        """Return the state of a run, as the log has it. Raises as `get_flow_run_info`."""
        run, *_ = await read_run(self.log.events, flow_run_id)
        return state_of(run)

    async def get_logs(self, flow_run_id: str, *, min_level: int = 0) -> list[LogRow]:
        """Return the log lines of a run, in order: those of `min_level` (Python's number: 30 is WARNING) and above.

        Raises as `get_flow_run_info`.
        """
        return await read_logs(self, flow_run_id, min_level=min_level)

    async def cancel_flow_run(self, flow_run_id: str, reason: str = "") -> bool:
        """Ask that a run ends; return whether this call asked first, of a run that had not ended.

        Raises:
            InvalidArgument, NotFound: there is no such run.

        """
        outcome = await self.headwater.runs.cancel(flow_run_id, reason=reason)
        self.note_position(outcome.position)
        return outcome.changed

    async def resume_flow_run(self, flow_run_id: str, tasks: Iterable[str] = (), reason: str = "") -> bool:
        """Let paused task runs of a run go on: those named (`load`, `load-1`, `load[3]`), or all; return whether this call did it.

        Raises:
            InvalidArgument, NotFound, Ambiguous: there is no such run, or no such task run in it.
            IllegalTransition: it is not paused.

        """
        named = _several("tasks", tasks)
        outcome = await self.headwater.runs.resume(flow_run_id, tasks=named, reason=reason)
        self.note_position(outcome.position)
        return outcome.changed

    async def set_flow_run_state(self, flow_run_id: str, state: State | str, version: int | None = None, *, reason: str = "") -> State:
        """Set the state of a run manually, and return the one it is in then.

        Args:
            flow_run_id: which run.
            state: Success, Failed, Cancelled, or Scheduled (it is executed again), as a state or its name.
            version: refuse unless this is the `position` that `get_flow_run_info` told.
            reason: why; the audit trail shows it. The state's message where none is given.

        Raises:
            InvalidArgument, NotFound: there is no such run, or no such state to set.
            IllegalTransition: an attempt executes the run.
            VersionConflict: the run has changed since.

        """
        name, message, start_time, _ = _wanted(state)
        outcome = await self.headwater.runs.set_state(flow_run_id, name, reason=reason or message, due_at=start_time, position=version)
        self.note_position(outcome.position)
        return state_of(outcome.state)

    async def set_task_run_state(self, task_run_id: str, state: State | str, version: int | None = None, *, reason: str = "") -> State:
        """Set the state of a task run manually, and return the one it is in then. The run's own state stays as it is.

        Args:
            task_run_id: `TaskRunView.task_run_id`: `<run id>/<slug>/<map index>`; the form of GraphQL is taken, too.
            state: Success, Skipped, Failed, TimedOut, Cancelled, Pending (it is executed again), or Resume, as a state or its name.
                The result of a Success, JSON of 64 KB at most, is what tasks find that take the task's value; else they find None.
            version: refuse unless this is the `position` of the run that `get_flow_run_info` told.
            reason: why; the audit trail shows it. The state's message where none is given.

        Raises:
            InvalidArgument, NotFound: there is no such run, task run, or state to set.
            IllegalTransition: an attempt executes the run, or the task was mapped.
            VersionConflict: the run has changed since.

        """
        run_id, slug, map_index = parsed_task_run_id(task_run_id)
        name, message, _, value = _wanted(state)
        outcome = await self.headwater.runs.set_task_run_state(
            run_id,
            slug,
            name,
            map_index=map_index,
            reason=reason or message,
            result=None if value is None else inline_result(value),
            position=version,
        )
        self.note_position(outcome.position)
        return task_state_of(outcome.state.task_runs.get((slug, map_index), TaskRun()))

    async def set_flow_run_name(self, flow_run_id: str, name: str) -> bool:
        """Give a run another name; return whether that changed it.

        Raises:
            InvalidArgument, NotFound, InvalidName: nothing was changed.

        """
        outcome = await self.headwater.runs.rename(flow_run_id, name)
        self.note_position(outcome.position)
        return outcome.changed

    async def delete_flow_run(self, flow_run_id: str, reason: str = "") -> bool:
        """Take a run that has ended off lists and counts; return whether this call did it. Its history stays in the log.

        Raises:
            InvalidArgument, NotFound: there is no such run.
            IllegalTransition: it has not ended.

        """
        outcome = await self.headwater.runs.delete(flow_run_id, reason=reason)
        self.note_position(outcome.position)
        return outcome.changed

    async def describe_flow(self, flow_id: str, description: str) -> bool:
        """Say what a flow is for, given the id of one of its versions or of its group; return whether that changed it.

        Raises:
            InvalidArgument, NotFound: there is no such flow, or the text is too long.

        """
        outcome = await self.headwater.flows.describe(split_flow_id(flow_id)[0], description)
        self.note_position(outcome.position)
        return outcome.changed

    async def set_flow_labels(self, flow_id: str, labels: Iterable[str] | None) -> bool:
        """Give new runs of a flow these labels; None: those that each version was registered with. Returns whether that changed it.

        Raises:
            InvalidArgument, NotFound, InvalidName: there is no such flow, or a label is none.

        """
        chosen = None if labels is None else _several("labels", labels)
        outcome = await self.headwater.flows.set_labels(split_flow_id(flow_id)[0], chosen)
        self.note_position(outcome.position)
        return outcome.changed

    async def set_flow_default_parameters(self, flow_id: str, parameters: Mapping[str, Any]) -> bool:
        """Give new runs of a flow these values where they are not given others, instead of all set before; return whether that changed it.

        Raises:
            InvalidArgument, NotFound: there is no such flow, or it has no parameter of this name.

        """
        outcome = await self.headwater.flows.set_default_parameters(split_flow_id(flow_id)[0], parameters)
        self.note_position(outcome.position)
        return outcome.changed

    def flow_url(self, flow_id: str) -> str:
        """Return the address of the page of a flow, given the id of one of its versions or of its group."""
        return page_of_flow(self.settings.http_url, split_flow_id(flow_id)[0])

    def run_url(self, flow_run_id: str) -> str:
        """Return the address of the page of a run."""
        return page_of_run(self.settings.http_url, flow_run_id)


def _wanted(state: State | str) -> tuple[str, str, datetime | None, Any]:
    """Return what a state says that a caller wants: its name, message, start time, and value."""
    if isinstance(state, str):
        return state, "", None, None
    name = type(state).__name__
    return name, state.message or "", getattr(state, "start_time", None) if name == "Scheduled" else None, state.result


def _run_settings(run_config: Any) -> Mapping[str, Any]:
    """Return a run configuration as the mapping that events hold."""
    if run_config is None:
        return {}
    if isinstance(run_config, Mapping):
        return run_config
    if not isinstance(run_config, RunConfig):
        raise InvalidArgument(f"{run_config!r} is not a run config.", hint="Write run_config=LocalRun(env={...}).")
    run_config.check_supported()
    serialized: Mapping[str, Any] = run_config.serialize()
    return serialized


def _several(argument: str, values: Iterable[str]) -> list[str]:
    if isinstance(values, str):
        raise InvalidArgument(f"{argument}={values!r} is one text.", hint=f"Write {argument}=[{values!r}].")
    return list(values)
