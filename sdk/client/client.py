"""The client for scripts, notebooks and threads: `AsyncClient`, called without `await`."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from headwater.core.errors import HeadwaterError, InvalidArgument
from headwater.core.program.settings import connection_settings
from headwater.core.queries import rows
from headwater.core.queries.requests import ListFlows, ListRuns
from headwater.sdk.client.async_client import AsyncClient
from headwater.sdk.client.background import BackgroundResource
from headwater.sdk.client.run_info import FlowRunInfo, page_of_task_run
from headwater.sdk.client.schedule_calls import ScheduleCalls

if TYPE_CHECKING:
    from headwater.sdk.client.graphql import GraphQLResult
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.states.state import State

Answer = TypeVar("Answer")


class Client(ScheduleCalls):
    """Talks to one Headwater server: `Client().create_flow_run(flow_id=...)`.

    Works also where an event loop already runs. Connects at the first call; `close`, or leaving a `with` block, disconnects, as do
    garbage collection and the end of the program. One client may be used from several threads.

    Args:
        nats_url: the server's address; by default the environment's, or that of the server of the home.
        key: the server's key; `api_key` is the same.
        home: the home whose server is meant.

    Raises (every method):
        LogUnavailable: no server answers within 3 seconds.
        AuthenticationFailed: the server wants another key.

    """

    def __init__(
        self, nats_url: str | None = None, key: str | None = None, *, home: Path | str | None = None, api_key: str | None = None
    ) -> None:
        self.settings = connection_settings(nats_url, key or api_key, home)
        self._program = "client"
        self._connecting = threading.Lock()
        self._held: BackgroundResource[AsyncClient] | None = None
        self._finalizer: weakref.finalize[..., Client] | None = None

    def close(self) -> None:
        """Disconnect. The next call connects again."""
        if self._finalizer is not None:
            self._finalizer()
        self._held = self._finalizer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def call(self, work: Callable[[AsyncClient], Awaitable[Answer]]) -> Answer:
        """Do asynchronous work with the client inside, for what has no method here, and return its answer."""
        try:
            held = self._connected()
            return held.call(lambda: work(held.held))
        except HeadwaterError as error:
            # What the loop did in between says nothing to the caller.
            raise error.with_traceback(None) from error.__cause__

    def start(self, work: Callable[[AsyncClient], Awaitable[Answer]]) -> Future[Answer]:
        """Start asynchronous work with the client inside, and return without waiting for it; cancelling the future ends it."""
        held = self._connected()
        return held.start(lambda: work(held.held))

    def _connected(self) -> BackgroundResource[AsyncClient]:
        with self._connecting:
            if self._held is None or not self._held.is_open:
                self._held = BackgroundResource(AsyncClient.of(self.settings, program=self._program))
                self._finalizer = weakref.finalize(self, self._held.close)
                # At the end of the program the background loop closes all that it holds.
                self._finalizer.atexit = False
            return self._held

    def create_project(self, project_name: str, project_description: str | None = None) -> str:
        """Create a project and return its id. As `AsyncClient.create_project`."""
        return self.call(lambda client: client.create_project(project_name, project_description))

    def delete_project(self, project_name: str) -> bool:
        """Delete a project; return whether this call did it. As `AsyncClient.delete_project`."""
        return self.call(lambda client: client.delete_project(project_name))

    def register(  # noqa: PLR0917 - as tutorials call it
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
        """Store and register a flow, print where it is to be found, and return the version's id. As `Flow.register`."""
        from headwater.sdk.client.registered_names import line_in_script, registering_at

        line = line_in_script()

        async def register(client: AsyncClient) -> str:
            with registering_at(line):
                return await client.register(
                    flow,
                    project_name,
                    build=build,
                    set_schedule_active=set_schedule_active,
                    version_group_id=version_group_id,
                    idempotency_key=idempotency_key,
                    no_url=no_url,
                    labels=labels,
                    **storage_kwargs,
                )

        return self.call(register)

    def create_flow_run(  # noqa: PLR0917 - as tutorials call it
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
        """Create a run of a flow and return its id. As `AsyncClient.create_flow_run`."""
        return self.call(
            lambda client: client.create_flow_run(
                flow_id,
                context,
                parameters,
                run_config,
                labels,
                scheduled_start_time,
                idempotency_key,
                run_name,
                version_group_id,
            )
        )

    def get_flow_run_info(self, flow_run_id: str) -> FlowRunInfo:
        """Return all about a run and its task runs. As `AsyncClient.get_flow_run_info`."""
        return self.call(lambda client: client.get_flow_run_info(flow_run_id))

    def get_flow_run_state(self, flow_run_id: str) -> State:
        """Return the state of a run. As `AsyncClient.get_flow_run_state`."""
        return self.call(lambda client: client.get_flow_run_state(flow_run_id))

    def cancel_flow_run(self, flow_run_id: str, reason: str = "") -> bool:
        """Ask that a run ends; return whether this call asked first. As `AsyncClient.cancel_flow_run`."""
        return self.call(lambda client: client.cancel_flow_run(flow_run_id, reason))

    def resume_flow_run(self, flow_run_id: str, tasks: Iterable[str] = (), reason: str = "") -> bool:
        """Resume paused task runs of a run; return whether this call did it. As `AsyncClient.resume_flow_run`."""
        return self.call(lambda client: client.resume_flow_run(flow_run_id, tasks, reason))

    def set_flow_run_state(self, flow_run_id: str, state: State | str, version: int | None = None, *, reason: str = "") -> State:
        """Set the state of a run manually, and return the one it is in then. As `AsyncClient.set_flow_run_state`."""
        return self.call(lambda client: client.set_flow_run_state(flow_run_id, state, version, reason=reason))

    def set_task_run_state(self, task_run_id: str, state: State | str, version: int | None = None, *, reason: str = "") -> State:
        """Set the state of a task run manually, and return the one it is in then. As `AsyncClient.set_task_run_state`."""
        return self.call(lambda client: client.set_task_run_state(task_run_id, state, version, reason=reason))

    def set_flow_run_name(self, flow_run_id: str, name: str) -> bool:
        """Give a run another name; return whether that changed it. As `AsyncClient.set_flow_run_name`."""
        return self.call(lambda client: client.set_flow_run_name(flow_run_id, name))

    def delete_flow_run(self, flow_run_id: str, reason: str = "") -> bool:
        """Take a run that has ended off lists and counts; return whether this call did it. As `AsyncClient.delete_flow_run`."""
        return self.call(lambda client: client.delete_flow_run(flow_run_id, reason))

    def describe_flow(self, flow_id: str, description: str) -> bool:
        """Say what a flow is for; return whether that changed it. As `AsyncClient.describe_flow`."""
        return self.call(lambda client: client.describe_flow(flow_id, description))

    def set_flow_labels(self, flow_id: str, labels: Iterable[str] | None) -> bool:
        """Give new runs of a flow these labels; return whether that changed them. As `AsyncClient.set_flow_labels`."""
        return self.call(lambda client: client.set_flow_labels(flow_id, labels))

    def set_flow_default_parameters(self, flow_id: str, parameters: Mapping[str, Any]) -> bool:
        """Give new runs of a flow these values by default; return whether that changed them.

        As `AsyncClient.set_flow_default_parameters`.
        """
        return self.call(lambda client: client.set_flow_default_parameters(flow_id, parameters))

    def get_projects(self, name: str | None = None) -> list[rows.ProjectRow]:
        """Return the projects, as the views show them."""
        return self.call(lambda client: client.views.projects(name=name, at_least=client.position))

    def get_flows(self, name: str | None = None, project: str | None = None, *, all_versions: bool = False) -> list[rows.FlowRow]:
        """Return the flows (of each the newest version that takes runs, or all versions), as the views show them."""
        return self.call(
            lambda client: client.views.flows(ListFlows(name=name, project=project, all_versions=all_versions), at_least=client.position)
        )

    def get_flow_runs(
        self,
        flow: str | None = None,
        project: str | None = None,
        *,
        states: Iterable[str] = (),
        name: str | None = None,
        limit: int | None = 100,
    ) -> list[rows.RunRow]:
        """Return runs, the newest first, as the views show them: at most `limit`, or all with None."""
        return self.call(
            lambda client: client.views.runs(
                ListRuns(flow=flow, project=project, states=tuple(states), name=name, limit=limit), at_least=client.position
            )
        )

    def get_task_runs(self, flow_run_id: str) -> list[rows.TaskRunRow]:
        """Return the task runs of a run, as the views show them."""
        return self.call(lambda client: client.views.task_runs(flow_run_id, at_least=client.position))

    def get_logs(self, flow_run_id: str, *, min_level: int = 0) -> list[rows.LogRow]:
        """Return the log lines of a run. As `AsyncClient.get_logs`."""
        return self.call(lambda client: client.get_logs(flow_run_id, min_level=min_level))

    def get_agents(self) -> list[rows.AgentRow]:
        """Return the agents, as the views show them."""
        return self.call(lambda client: client.views.agents(at_least=client.position))

    def graphql(
        self,
        query: Any,
        raise_on_error: bool = True,
        headers: Mapping[str, str] | None = None,
        variables: Mapping[str, Any] | None = None,
    ) -> GraphQLResult:
        """Send an operation to the server's GraphQL and return its answer: `client.graphql("{ hello }").data.hello`.

        `query` is text, or made of dicts, sets and texts as `headwater.utilities.graphql` tells.

        Raises:
            GraphQLError: the server refused it, or parts of it, and `raise_on_error` is set.
            AuthenticationFailed: the server wants another key.
            ViewsUnavailable: no server answers.

        """
        from headwater.sdk.client.graphql_requests import ask

        key = {"Authorization": f"Bearer {self.settings.key}"} if self.settings.key else {}
        return ask(self.settings.http_url, query, variables, {**key, **(headers or {})}, raise_on_error=raise_on_error)

    def get_cloud_url(self, subdirectory: str, id: str, as_user: bool = True) -> str:  # noqa: A002 - the name people know
        """Return the address of the page of a flow (`"flow"`), a run (`"flow-run"`) or a task run (`"task-run"`).

        It is the same for all users, so `as_user` changes nothing.

        Raises:
            InvalidArgument: nothing of this kind has a page, or this is not an id of it.

        """
        del as_user
        match subdirectory:
            case "flow":
                return self.flow_url(id)
            case "flow-run":
                return self.run_url(id)
            case "task-run":
                return page_of_task_run(self.settings.http_url, id)
        raise InvalidArgument(f"There are no pages of {subdirectory!r}.", hint="Choose 'flow', 'flow-run' or 'task-run'.")

    def flow_url(self, flow_id: str) -> str:
        """Return the address of the page of a flow, given the id of one of its versions or of its group."""
        return AsyncClient.of(self.settings, program=self._program).flow_url(flow_id)

    def run_url(self, flow_run_id: str) -> str:
        """Return the address of the page of a run."""
        return AsyncClient.of(self.settings, program=self._program).run_url(flow_run_id)
