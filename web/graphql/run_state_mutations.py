"""The mutations that set states of runs and task runs manually, among them the Resume that lets a paused task run go on."""

# ruff: noqa: A002 - arguments bear the names that GraphQL has for them
from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry
from strawberry import Info

from headwater.core.errors import InvalidArgument
from headwater.core.runs.inline_result import inline_result
from headwater.core.values.identifiers import parsed_task_run_id
from headwater.core.values.moments import assume_utc
from headwater.web.graphql.context import operation_of
from headwater.web.graphql.scalars import Identifier, Json


@strawberry.input(name="set_flow_run_state_input")
class FlowRunStateInput:
    """Which run is to be in which state: an object with its `type`, and with the reason as its `message`."""

    flow_run_id: Identifier
    state: Json
    version: int | None = strawberry.field(default=None, description="refuse unless this is the run's version")


@strawberry.input(name="set_flow_run_states_input")
class FlowRunStatesInput:
    states: list[FlowRunStateInput]


@strawberry.input(name="set_task_run_state_input")
class TaskRunStateInput:
    """Which task run is to be in which state: an object with its `type`, and with the reason as its `message`."""

    task_run_id: str
    state: Json
    version: int | None = strawberry.field(default=None, description="not looked at: task runs have none of their own")
    flow_run_version: int | None = strawberry.field(default=None, description="refuse unless this is the run's version")


@strawberry.input(name="set_task_run_states_input")
class TaskRunStatesInput:
    states: list[TaskRunStateInput]


@strawberry.type(name="set_state_payload")
class SetState:
    """What became of one of the states."""

    id: str
    status: str
    message: str | None


@strawberry.type(name="set_states_payload")
class SetStatesPayload:
    states: list[SetState]


@strawberry.type
class RunStateMutation:
    """What can be done to the states of runs."""

    @strawberry.mutation
    async def set_flow_run_states(self, info: Info, input: FlowRunStatesInput) -> SetStatesPayload:
        """Set states of runs, in order. The first that is refused ends it; those before it stand."""
        operation = operation_of(info)
        done = []
        for each in input.states:
            name, reason, start_time, _ = _wanted(each.state)
            outcome = await operation.headwater.runs.set_state(
                each.flow_run_id, name, reason=reason, due_at=start_time, position=each.version
            )
            operation.wrote(outcome.position)
            done.append(SetState(id=each.flow_run_id, status="SUCCESS", message=f"The run is {outcome.state.state}."))
        return SetStatesPayload(states=done)

    @strawberry.mutation
    async def set_task_run_states(self, info: Info, input: TaskRunStatesInput) -> SetStatesPayload:
        """Set states of task runs, in order; Resume lets a paused one go on. The first that is refused ends it; those before it stand.

        The ids may have the form of GraphQL or that of Python.
        """
        operation = operation_of(info)
        done = []
        for each in input.states:
            run_id, slug, map_index = parsed_task_run_id(each.task_run_id)
            name, reason, _, value = _wanted(each.state)
            outcome = await operation.headwater.runs.set_task_run_state(
                run_id,
                slug,
                name,
                map_index=map_index,
                reason=reason,
                result=None if value is None else inline_result(value),
                position=each.flow_run_version,
            )
            operation.wrote(outcome.position)
            done.append(SetState(id=each.task_run_id, status="SUCCESS", message=f"The run is {outcome.state.state}."))
        return SetStatesPayload(states=done)


def _wanted(state: Any) -> tuple[str, str, datetime | None, Any]:
    """Return what a state in JSON tells: its type, message, start time, and the value of its result.

    Raises:
        InvalidArgument: it is not a state.

    """
    if isinstance(state, str):
        return state, "", None, None
    if not isinstance(state, Mapping) or not isinstance(state.get("type"), str):
        raise InvalidArgument("A state is an object that tells its type.", hint='Such as {"type": "Success", "message": "done manually"}.')
    message, start_time, result = state.get("message"), state.get("start_time"), state.get("_result")
    if message is not None and not isinstance(message, str):
        raise InvalidArgument("The message of a state is a text.")
    value = result.get("value") if isinstance(result, Mapping) else None
    return state["type"], message or "", None if start_time is None else _moment(start_time), value


def _moment(text: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"{text!r} is not a time.", hint="Write it such as 2031-01-02T03:04:05+00:00.") from error
    return assume_utc(moment)
