"""What the settings of a flow may be; each misuse gets a sentence that says what to write instead."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from headwater.core.errors import InvalidName
from headwater.core.values.names import valid_name
from headwater.outside import outside
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InvalidFlow, InvalidFlowName, WrongParameters
from headwater.sdk.language.task import Task

if TYPE_CHECKING:
    from headwater.core.calendar import Schedule
    from headwater.sdk.environments import Environment
    from headwater.sdk.executors import Executor
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.results import Result
    from headwater.sdk.run_configs import RunConfig
    from headwater.sdk.storage import Storage


def name(given: Any) -> str:
    """Return the name of a flow."""
    try:
        return valid_name(given, kind="flow")
    except InvalidName as error:
        raise InvalidFlowName(str(error), hint=error.hint) from None


def schedule(given: Any, *, flow: str) -> Schedule | None:
    """Return the schedule: anything that tells its next moments."""
    if given is not None and not callable(getattr(given, "next", None)):
        raise InvalidFlow(
            f"Flow {flow!r}: {given!r} is not a schedule.", hint="Write schedule=CronSchedule('0 6 * * *') or Schedule(clocks=[...])."
        )
    chosen: Schedule | None = given
    return chosen


# The kinds are imported only where one is given: most flows are made without.


def executor(given: Any, *, flow: str) -> Executor | None:
    if given is None:
        return None
    _expect(given, outside.kind_of("executor"), "executor", "LocalDaskExecutor()", flow)
    chosen: Executor = given
    return chosen


def run_config(given: Any, *, flow: str) -> RunConfig | None:
    if given is None:
        return None
    from headwater.sdk.run_configs.base import RunConfig

    _expect(given, RunConfig, "run_config", "LocalRun(env={...})", flow)
    chosen: RunConfig = given
    return chosen


def environment(given: Any, *, flow: Flow) -> Environment | None:
    """Return the environment, if the flow has no run config of its own."""
    if given is None:
        return None
    _expect(given, outside.kind_of("environment"), "environment", "LocalEnvironment(labels=[...])", flow.name)
    before = flow.environment
    if flow.run_config is not None and (before is None or flow.run_config != before.run_config()):
        raise InvalidFlow(
            f"Flow {flow.name!r} has a run config, {flow.run_config!r}, and an environment would be another one.",
            hint="Give the flow one of them; the run config is what lasts.",
        )
    chosen: Environment = given
    return chosen


def storage(given: Any, *, flow: str) -> Storage | None:
    if given is None:
        return None
    _expect(given, outside.kind_of("storage"), "storage", "Local(directory=...)", flow)
    chosen: Storage = given
    return chosen


def result(given: Any, *, flow: str) -> Result | None:
    if given is None:
        return None
    from headwater.sdk.results import Result

    _expect(given, Result, "result", "LocalResult(dir=...)", flow)
    chosen: Result = given
    return chosen


def _expect(given: Any, kind: type, setting: str, example: str, flow: str) -> None:
    if isinstance(given, kind):
        return
    if isinstance(given, type) and issubclass(given, kind):
        raise InvalidFlow(f"Flow {flow!r}: {setting}={given.__name__} is a class.", hint=f"Call it: {setting}={given.__name__}(...).")
    raise InvalidFlow(f"Flow {flow!r}: {given!r} is not of type {kind.__name__}.", hint=f"Write {setting}={example}, for example.")


def terminal_state_handler(given: Any, *, flow: str) -> Any:
    """Return the handler."""
    if given is not None and not callable(given):
        raise InvalidFlow(
            f"Flow {flow!r}: terminal_state_handler takes a function, and {given!r} is none.",
            hint="Write a function of the flow, its state and the states of its reference tasks.",
        )
    return given


def edges(given: Iterable[Any] | None, *, flow: str) -> Iterable[Edge]:
    """Return the edges."""
    for edge in given or ():
        if not isinstance(edge, Edge):
            raise InvalidFlow(f"Flow {flow!r}: edges takes Edge objects, and {edge!r} is none.", hint="Write Edge(first, second, key='x').")
        yield edge


def parameters(given: Any, *, flow: str) -> Mapping[str, Any]:
    """Return the values of parameters by their names."""
    if given is not None and not isinstance(given, Mapping):
        raise WrongParameters(
            f"Flow {flow!r}: parameters takes a dict, and {given!r} is a {type(given).__name__}.", hint="Write parameters={'name': value}."
        )
    return given or {}


def several(argument: str, tasks: Any) -> Iterable[Any]:
    """Return the tasks, in an order that is the same in every process: their slugs follow it, and a set has none of its own."""
    if tasks is None:
        return ()
    if isinstance(tasks, Task | str) or not isinstance(tasks, Iterable):
        raise InvalidFlow(f"{argument} takes a list of tasks, not {tasks!r}.", hint=f"Put it into a list: {argument}=[...].")
    return sorted(tasks, key=lambda task: getattr(task, "name", repr(task))) if isinstance(tasks, set | frozenset) else tasks
