"""`flow.run()`: running a flow in this process, once or on its schedule, without any server."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from headwater.core.errors import InvalidArgument
from headwater.core.text import shown
from headwater.sdk.context.logging import get_logger
from headwater.sdk.context.values import current_values
from headwater.sdk.engine.clock import SystemClock
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.engine.parameters import over_context, run_parameters
from headwater.sdk.engine.scheduled import run_on_schedule, wait_until
from headwater.sdk.language import flow_settings
from headwater.sdk.language.errors import WrongParameters
from headwater.sdk.language.task import Task
from headwater.sdk.states.state import Pending, Scheduled, State

if TYPE_CHECKING:
    from headwater.sdk.executors import Executor
    from headwater.sdk.language.flow import Flow


def run_locally(
    flow: Flow,
    parameters: Mapping[str, Any] | None,
    by_name: Mapping[str, Any],
    *,
    on_schedule: bool,
    runner_class: type[FlowRunner] | None = None,
    **settings: Any,
) -> State:
    """Run the flow as `Flow.run` promises; `settings` are its other arguments. A parameter of the flow has its name before them.

    Raises:
        WrongParameters: a parameter is unknown, missing or given twice.
        InvalidFlow: the flow cannot run, or its schedule is over.

    """
    names = {parameter.name for parameter in flow.parameters()}
    if "return_tasks" in by_name and "return_tasks" not in names:
        raise WrongParameters(
            "flow.run() returns the states of all tasks; it takes no return_tasks.",
            hint="Take those you want from state.result, or use FlowRunner(flow).run(return_tasks=...).",
        )
    meant = {name: value for name, value in settings.items() if name in names and value is not None}
    by_name = {**by_name, **meant}
    run = _LocalRun(flow, runner_class or FlowRunner, **{name: value for name, value in settings.items() if name not in meant})
    if flow.schedule is None or not on_schedule:
        values = run_parameters(flow, parameters, by_name)
        flow.validate()
        return run.once(values, {*(parameters or {}), *by_name}, {})
    flow.validate()
    given = {**flow_settings.parameters(parameters, flow=flow.name), **by_name}
    return run_on_schedule(flow, lambda values, scheduled: run.once(values, set(values), scheduled), given, SystemClock())


class _LocalRun:
    """What `flow.run()` was given, but for the parameters."""

    def __init__(
        self,
        flow: Flow,
        runner_class: type[FlowRunner],
        *,
        executor: Executor | None = None,
        context: Mapping[str, Any] | None = None,
        task_states: Mapping[Task, State] | None = None,
        flow_run_name: str | None = None,
        flow_run_id: str | None = None,
        state: State | None = None,
        task_contexts: Mapping[Task, Mapping[str, Any]] | None = None,
    ) -> None:
        if state is not None and not isinstance(state, State):
            raise InvalidArgument(f"state must be a state, such as Pending(), and {shown(state)} is not one.")
        self._flow = flow
        self._runner = runner_class(flow=flow)
        self._executor = executor
        self._clock = SystemClock()
        ids = {"flow_run_id": flow_run_id or str(uuid4()), "flow_run_name": flow_run_name or str(uuid4())}
        self._context: dict[str, Any] = {**ids, **(context or {}), "flow_id": flow.name}
        self._task_contexts = task_contexts
        known = state.result if state is not None and isinstance(state.result, dict) else {}
        self._first_state = state
        self._first_states: Mapping[Task, State] = {**known, **(task_states or {})}

    def once(self, values: Mapping[str, Any], explicit: Collection[str], scheduled: Mapping[str, Any]) -> State:
        """Run the flow with these parameters, of which the `explicit` ones were given, and return its state."""
        now = self._clock.now()
        state, self._first_state = self._first_state or Scheduled(start_time=now), None
        task_states, self._first_states = self._first_states, {}
        if state.is_finished():
            state.result = {task: task_states.get(task) or Pending("Task not run.") for task in self._flow.tasks}
            return state
        if isinstance(state, Scheduled) and state.start_time is not None and state.start_time > now:
            get_logger("Flow").info("Waiting for next scheduled run at %s", state.start_time.isoformat())
            wait_until(state.start_time, self._clock)
        inherited = {**current_values.get().get("parameters", {}), **self._context.get("parameters", {})}
        return self._runner.run(
            over_context(values, explicit, inherited),
            context={**self._context, "scheduled_start_time": now, **scheduled},
            task_states=task_states,
            state=state,
            executor=self._executor,
            task_contexts=self._task_contexts,
        )
