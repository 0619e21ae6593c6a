"""Carrying calls of tasks to other processes, and what came of them back: states, and exceptions with their tracebacks."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from headwater.core.text import name_of, shown
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.context.logging import ROOT_NAME, get_logger
from headwater.sdk.executors.log_lines import Lines, Sink, lines_taken_by
from headwater.sdk.executors.task_call import TaskCall, execute
from headwater.sdk.language.user_code import own_modules_of_task, pickled_by_value
from headwater.sdk.states.state import Failed, State


class _Parcel(NamedTuple):
    call: TaskCall
    number: int
    sender: int
    level: int
    loggers: tuple[str, ...]


class _Outcome(NamedTuple):
    state: State
    number: int
    lines_sent: int
    lines_left: list[bytes]


def packed(call: TaskCall, lines: Lines) -> bytes | Failed:
    """Return the call as bytes, the user's own code in them; or how the task ends, if it cannot travel."""
    from headwater.sdk.context.pickling import dumps

    extra = tuple(call.context["config"]["logging"]["extra_loggers"]) if "config" in call.context else ()
    with pickled_by_value(own_modules_of_task(call.task)):
        try:
            parcel = _Parcel(call, lines.expect(call), os.getpid(), get_logger().level, (ROOT_NAME, *extra))
            data = dumps(parcel)
        except BaseException as error:
            if is_interrupt(error):
                raise
            return Failed(
                f"The task cannot be sent to another process: {shown(error)}. "
                "Its code and inputs must be picklable; make connections, locks and files inside of tasks.",
                result=error,
            )
    return data


def execute_packed(data: bytes, send_line: Callable[[bytes], None] | None = None) -> bytes:
    """Execute a packed call, wherever this is, and return what came of it as bytes. What it logs goes through `send_line`."""
    from headwater.sdk.storage import stored_code
    from headwater.sdk.storage.frozen_code import FrozenCode

    frozen = FrozenCode(data)
    parcel: _Parcel = frozen.value
    if parcel.sender == os.getpid():
        # In a thread of the process that runs the flow: its loggers and its standard output are right here.
        return _outcome_packed(_Outcome(_executed(parcel.call), parcel.number, 0, []))
    stored_code.share(frozen.modules)
    sink = Sink(parcel.number, send_line)
    with lines_taken_by(sink, loggers=parcel.loggers, level=parcel.level, prints=parcel.call.task.log_stdout):
        state = _executed(parcel.call)
    return _outcome_packed(_Outcome(state, parcel.number, sink.sent, sink.left))


def _executed(call: TaskCall) -> State:
    try:
        return execute(call)
    except BaseException as error:  # noqa: BLE001 - an interrupt ends the run where the run is; here it would end a worker
        return Failed(f"Error during execution of task: {shown(error)}", result=error)


def unpacked(data: bytes, lines: Lines) -> State:
    """Return what came of a call, after all that it logged has been logged here."""
    import cloudpickle

    try:
        outcome: _Outcome = cloudpickle.loads(data)
    except BaseException as error:  # making values again runs their code
        if is_interrupt(error):
            raise
        return Failed(f"What came of the task cannot be read in the process that runs the flow: {shown(error)}.", result=error)
    lines.finish(outcome.number, sent=outcome.lines_sent, left=outcome.lines_left)
    return outcome.state


def _outcome_packed(outcome: _Outcome) -> bytes:
    import cloudpickle
    from tblib import pickling_support

    from headwater.sdk.context.pickling import dumps

    value = outcome.state.unwrapped().result
    try:
        if isinstance(value, BaseException):
            pickling_support.install(value)
            dumps(value)  # by itself: a state would tell it in words, and what could not be sent is to be said
        data = dumps(outcome)
        # Some exceptions can be pickled and not be made again from that; the caller that waits must not find out.
        cloudpickle.loads(data)
    except BaseException as error:  # noqa: BLE001 - pickling runs the code of whatever the task returned or raised
        what = f"raised {shown(value)}" if isinstance(value, BaseException) else f"returned a {name_of(type(value))}"
        failed = Failed(
            f"The task {what}, which cannot be sent back from the process it ran in: {shown(error)}.", result=RuntimeError(shown(error))
        )
        data = dumps(outcome._replace(state=failed))
    return data
