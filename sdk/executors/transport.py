"""Carrying calls of tasks to other processes, and what came of them back: states, exceptions with tracebacks, log lines."""

from __future__ import annotations

import logging
import os
import sys
from contextvars import ContextVar
from typing import Any, NamedTuple

from headwater.engine.state import Failed, State
from headwater.engine.task_call import TaskCall, execute
from headwater.graph.own_code import own_modules_of_task, pickled_by_value
from headwater.utilities.context import current_values
from headwater.utilities.logging import ROOT_NAME, LoggedStdout, get_logger


class _Parcel(NamedTuple):
    call: TaskCall
    sender: int
    level: int
    loggers: tuple[str, ...]


class _Line(NamedTuple):
    record: dict[str, Any]
    error: BaseException | None


_Lines = list[_Line]


def packed(call: TaskCall) -> bytes | Failed:
    """Return the call as bytes, the user's own code in them; or how the task ends, if it cannot travel."""
    import cloudpickle

    root = get_logger()
    extra = tuple(call.context["config"]["logging"]["extra_loggers"]) if "config" in call.context else ()
    with pickled_by_value(own_modules_of_task(call.task)):
        try:
            data: bytes = cloudpickle.dumps(_Parcel(call, os.getpid(), root.level, (ROOT_NAME, *extra)))
        except Exception as error:  # noqa: BLE001 - pickling runs the code of whatever is in the task and its inputs
            return Failed(
                f"The task cannot be sent to another process: {error!r}. "
                "Its code and inputs must be picklable; make connections, locks and files inside of tasks.",
                result=error,
            )
    return data


def execute_packed(data: bytes) -> bytes:
    """Execute a packed call, wherever this is, and return what came of it as bytes."""
    import cloudpickle

    parcel: _Parcel = cloudpickle.loads(data)
    if parcel.sender == os.getpid():
        # In a thread of the process that runs the flow: its loggers and its standard output are right here.
        return _outcome_packed(execute(parcel.call), [])
    _CapturingHandler.install(parcel)
    lines: _Lines = []
    token = _captured.set(lines)
    try:
        outcome = execute(parcel.call)
    finally:
        _captured.reset(token)
    return _outcome_packed(outcome, lines)


def unpacked(data: bytes, call: TaskCall) -> State:
    """Return what came of the call, after its log lines have been logged here, as the task's own."""
    import cloudpickle

    outcome: State
    lines: _Lines
    outcome, lines = cloudpickle.loads(data)
    token = current_values.set(call.context)
    try:
        for fields, error in lines:
            record = logging.makeLogRecord(fields)
            if error is not None:
                record.exc_info = (type(error), error, error.__traceback__)
            logging.getLogger(record.name).handle(record)
    finally:
        current_values.reset(token)
    return outcome


_captured: ContextVar[_Lines | None] = ContextVar("headwater.captured_lines", default=None)


class _CapturingHandler(logging.Handler):
    """Keeps what a task logs in this process, for the process that runs the flow."""

    @classmethod
    def install(cls, parcel: _Parcel) -> None:
        for name in parcel.loggers:
            logger = logging.getLogger(name)
            logger.setLevel(parcel.level)
            if not any(isinstance(handler, cls) for handler in logger.handlers):
                # It alone: what is written here, nobody would see, or see twice.
                logger.handlers = [cls()]
        if parcel.call.task.log_stdout and not isinstance(sys.stdout, LoggedStdout):
            sys.stdout = LoggedStdout(sys.stdout)

    def emit(self, record: logging.LogRecord) -> None:
        lines = _captured.get()
        if lines is None:
            return
        fields = {**record.__dict__, "msg": record.getMessage(), "args": None, "exc_info": None, "exc_text": None}
        plain = {key: value for key, value in fields.items() if value is None or isinstance(value, str | int | float)}
        lines.append(_Line(plain, record.exc_info[1] if record.exc_info else None))


def _outcome_packed(outcome: State, lines: _Lines) -> bytes:
    import cloudpickle
    from tblib import pickling_support

    for error in (outcome.result, *(line.error for line in lines)):
        if isinstance(error, BaseException):
            pickling_support.install(error)
    try:
        data: bytes = cloudpickle.dumps((outcome, lines))
        # Some exceptions can be pickled and not be made again from that; whoever waits must not find out.
        cloudpickle.loads(data)
    except Exception as error:  # noqa: BLE001 - pickling runs the code of whatever the task returned or raised
        said = [_Line(line.record, None) for line in lines]
        what = f"raised {outcome.result!r}" if isinstance(outcome.result, BaseException) else f"returned a {type(outcome.result).__name__}"
        failed = Failed(
            f"The task {what}, which cannot be sent back from the process it ran in: {error!r}.", result=RuntimeError(repr(error))
        )
        data = cloudpickle.dumps((failed, said))
    return data
