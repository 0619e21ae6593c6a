"""Runs of flows as steps of a flow.

    with Flow("parent") as flow:
        child = create_flow_run(flow_name="child", project_name="tutorial", parameters={"day": day})
        done = wait_for_flow_run(child, raise_final_state=True)
        rows = get_task_run_result(child, "load-1", upstream_tasks=[done])

A task that waits keeps its run's process, and with it a slot of its agent: an agent that takes one run at a time cannot take
the run that is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from headwater.core.errors import InvalidArgument, WrongType
from headwater.core.hints import ListFlowsAction, hint
from headwater.sdk.context.context import context
from headwater.sdk.engine.children import created_child
from headwater.sdk.language.decorators import defaults_from_attrs, task
from headwater.sdk.language.task import Task
from headwater.sdk.results import ChildRunResult
from headwater.sdk.states.signals import signal_from_state

if TYPE_CHECKING:
    from headwater.sdk.backend import FlowRunView


@task(result=ChildRunResult())
def create_flow_run(  # noqa: PLR0917 - the signature people know
    flow_id: str | None = None,
    flow_name: str | None = None,
    project_name: str = "",
    parameters: Mapping[str, Any] | None = None,
    context: Mapping[str, Any] | None = None,
    labels: Iterable[str] | None = None,
    run_name: str | None = None,
    run_config: Any = None,
    scheduled_start_time: datetime | timedelta | None = None,
    idempotency_key: str | None = None,
) -> str:
    """Create a run of a flow, found by its id or by its name, and return the run's id. If this run is cancelled, so is that one.

    `scheduled_start_time` is a moment (in UTC where it names no time zone), or how long from now. Run again, for whatever reason, the
    same task run finds the run it created: unless `idempotency_key` says otherwise, the key is the task run itself. The run's name is
    `<this run>-<flow>` unless `run_name` says otherwise.

    Raises:
        InvalidArgument: neither id nor name was given, or both.
        NotFound: there is no such flow.

    """
    return _create(
        flow_id,
        flow_name,
        project_name,
        idempotency_key=idempotency_key,
        run_name=run_name,
        parameters=parameters,
        context=context,
        labels=labels,
        run_config=run_config,
        scheduled_start_time=scheduled_start_time,
    )


@task
def wait_for_flow_run(
    flow_run_id: str,
    stream_states: bool = True,
    stream_logs: bool = False,
    raise_final_state: bool = False,
    max_duration: timedelta = timedelta(hours=12),
) -> FlowRunView:
    """Wait until a run has ended, and return it. Its states, and with `stream_logs` its lines, are logged as they come.

    With `raise_final_state`, this task ends in the state in which the run did.

    Raises:
        NotFound: there is no such run.
        RunNotEnded: it has not ended within `max_duration`.

    """
    return _wait(flow_run_id, stream_states, stream_logs, raise_final_state=raise_final_state, max_duration=max_duration)


@task
def get_task_run_result(flow_run_id: str, task_slug: str, map_index: int = -1, poll_time: float = 5) -> Any:
    """Wait until a run has ended, and return the result of one of its tasks, from where it was kept.

    `poll_time` is accepted for flows written for other versions; nothing is polled.

    Raises:
        InvalidArgument: there is no slug, or the run is the one that this task belongs to.
        NotFound: there is no such run or task run.
        ResultUnavailable: the task did not succeed, or its result was not kept.

    """
    del poll_time
    if not task_slug:
        raise InvalidArgument(
            "get_task_run_result needs the slug of a task.", hint="Slugs look like load-1; flow.slugs has those of a flow."
        )
    if flow_run_id == context.get("flow_run_id"):
        raise InvalidArgument(
            "get_task_run_result waits for the end of a run, and this is the run it is part of.",
            hint="Give the task's value as an input instead.",
        )
    run = _wait(flow_run_id, False, False, raise_final_state=False, max_duration=timedelta(hours=12))
    return run.get_task_run(task_slug=task_slug, map_index=map_index).get_result()


class StartFlowRun(Task):
    """Creates a run of the flow `flow_name` in `project_name`; with `wait`, ends as the run does. Its result is the run's id.

    What is given to `run` counts before what is given here. A link to the run is an artifact of the task run, unless
    `create_link_artifact` says otherwise. `poll_interval` is accepted for flows written for other versions: nothing is polled.
    """

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        flow_name: str | None = None,
        project_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        run_config: Any = None,
        wait: bool = False,
        new_flow_context: Mapping[str, Any] | None = None,
        run_name: str | None = None,
        scheduled_start_time: datetime | None = None,
        poll_interval: timedelta | None = None,
        create_link_artifact: bool = True,
        **settings: Any,
    ) -> None:
        del poll_interval
        tasks = [name for name, value in (parameters or {}).items() if isinstance(value, Task)]
        if tasks:
            raise WrongType(
                f"StartFlowRun was given the task {tasks[0]!r} as a parameter where it is made: it would get the task, not its value.",
                hint="Give it where the task is called: StartFlowRun(...)(parameters={...}).",
            )
        self.flow_name = flow_name
        self.project_name = project_name
        self.parameters = parameters
        self.wait = wait
        self.create_link_artifact = create_link_artifact
        self.new_flow_context = new_flow_context
        self.run_name = run_name
        self.scheduled_start_time = scheduled_start_time
        self.run_config = run_config
        settings.setdefault("result", ChildRunResult())
        settings.setdefault("name", f"Flow {flow_name}" if flow_name else "StartFlowRun")
        super().__init__(**settings)

    @defaults_from_attrs("flow_name", "project_name", "parameters", "run_config", "new_flow_context", "run_name", "scheduled_start_time")
    def run(  # noqa: PLR0917 - the signature people know
        self,
        flow_name: str | None = None,
        project_name: str | None = None,
        parameters: Mapping[str, Any] | None = None,
        run_config: Any = None,
        new_flow_context: Mapping[str, Any] | None = None,
        run_name: str | None = None,
        idempotency_key: str | None = None,
        scheduled_start_time: datetime | None = None,
    ) -> str:
        run_id = _create(
            None,
            flow_name,
            project_name or "",
            idempotency_key=idempotency_key,
            run_name=run_name,
            parameters=parameters,
            context=new_flow_context,
            run_config=run_config,
            scheduled_start_time=scheduled_start_time,
        )
        # Tasks that were stored before have no such attribute.
        if getattr(self, "create_link_artifact", True):
            _link(run_id)
        if self.wait:
            _wait(run_id, True, False, raise_final_state=True, max_duration=timedelta(hours=12))
        return run_id


def _create(
    flow_id: str | None,
    flow_name: str | None,
    project_name: str,
    *,
    idempotency_key: str | None,
    run_name: str | None,
    scheduled_start_time: datetime | timedelta | None = None,
    **more: Any,
) -> str:
    from headwater.core.operations.flow_lookup import find_flow
    from headwater.sdk.backend import FlowView
    from headwater.sdk.backend.connection import shared_client

    if (flow_id is None) == (flow_name is None):
        raise InvalidArgument("A run needs either flow_id or flow_name.", hint=hint("{} lists flows with their ids.", ListFlowsAction()))
    client = shared_client()
    if flow_id is None:
        assert flow_name is not None
        if project_name:
            # Asked of the log, which knows of a registration at once.
            found = client.call(lambda c: find_flow(c.log.events, project_name=project_name, name=str(flow_name)))
            flow_id, flow_name = found.flow_id, found.name
        else:
            view = FlowView.from_flow_name(flow_name, client=client)
            flow_id, flow_name = view.flow_id, view.name
    if idempotency_key is None and context.get("running_with_backend"):
        idempotency_key = context.task_run_id
    parent = context.get("flow_run_name")
    if run_name is None and parent and flow_name:
        run_name = f"{parent}-{flow_name}"
    start = datetime.now(UTC) + scheduled_start_time if isinstance(scheduled_start_time, timedelta) else scheduled_start_time
    run_id = created_child(
        client.start(
            lambda c: c.create_flow_run(
                flow_id=flow_id, run_name=run_name, idempotency_key=idempotency_key, scheduled_start_time=start, **more
            )
        )
    )
    context.logger.info("Created flow run '%s': %s", run_name or run_id, client.run_url(run_id))
    return run_id


def _link(run_id: str) -> None:
    """Make the page of a run an artifact: by its path, since it is on the server that shows the artifact."""
    from headwater.sdk.backend.artifacts import create_link_artifact
    from headwater.sdk.backend.connection import shared_client

    create_link_artifact(urlsplit(shared_client().run_url(run_id)).path)


def _wait(flow_run_id: str, stream_states: bool, stream_logs: bool, *, raise_final_state: bool, max_duration: timedelta) -> FlowRunView:
    from headwater.sdk.backend import FlowRunView, watch_flow_run

    name = FlowRunView.from_flow_run_id(flow_run_id).name
    for line in watch_flow_run(flow_run_id, stream_states=stream_states, stream_logs=stream_logs, max_duration=max_duration):
        context.logger.log(line.level, "Flow '%s': %s", name, line.message)
    run = FlowRunView.from_flow_run_id(flow_run_id)
    if raise_final_state:
        state = run.state
        try:
            signal = signal_from_state(state)
        except ValueError:
            from headwater.sdk.states.signals import FAIL

            # A cancelled run has not done what was asked of it.
            signal = FAIL
        raise signal(f"{flow_run_id} finished in state {state!r}", result=run)
    return run
