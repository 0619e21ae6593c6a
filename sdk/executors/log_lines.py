"""What tasks log in other processes, carried to the process that runs the flow while they are still running; so are their artifacts.

There, a `Sink` takes the lines of one call and hands each to whatever leads back. Here, `Lines` logs them as the task's own,
and knows when all that a call said have come: an outcome never overtakes the lines before it.
"""

from __future__ import annotations

import itertools
import logging
import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from headwater.core.errors import HeadwaterError
from headwater.core.events import TaskRunArtifactEvent
from headwater.core.text import shown
from headwater.sdk.context.log_records import add_run_to_records
from headwater.sdk.context.logging import ROOT_NAME, LoggedStdout, message_of
from headwater.sdk.context.values import current_values
from headwater.sdk.executors.artifacts import artifacts_carried_by, record_artifact
from headwater.sdk.executors.task_call import TaskCall

LATE_LINES_SECONDS = 10.0
"""How long an outcome waits for the next of the lines that were sent before it. What comes later is logged when it comes."""


class Sink:
    """Takes the lines of one call. `send` is given each as bytes; where it fails, they are `left` for the outcome to carry."""

    def __init__(self, number: int, send: Callable[[bytes], None] | None) -> None:
        self.number = number
        self.sent = 0
        self.left: list[bytes] = []
        self._send = send
        self._lock = threading.Lock()

    def take(self, record: logging.LogRecord) -> None:
        self._hand_on(_as_bytes(self.number, record))

    def take_artifact(self, event: TaskRunArtifactEvent) -> None:
        self._hand_on(pickle.dumps((self.number, event, None)))

    def _hand_on(self, line: bytes) -> None:
        with self._lock:
            if self._send is not None:
                try:
                    self._send(line)
                except Exception:  # noqa: BLE001 - whatever broke the way back, the outcome has another
                    self._send = None
                else:
                    self.sent += 1
                    return
            self.left.append(line)


_PLAIN = frozenset({str, int, float, bool, type(None)})
_current: ContextVar[Sink | None] = ContextVar("headwater.line_sink", default=None)
_open: list[Sink] = []


@contextmanager
def lines_taken_by(sink: Sink, *, loggers: Iterable[str], level: int, prints: bool) -> Any:
    """Let the sink take what is logged in the block through these loggers, and with `prints` what is printed."""
    add_run_to_records()
    for name in loggers:
        logger = logging.getLogger(name)
        logger.setLevel(level)
        if not any(isinstance(handler, _Handler) for handler in logger.handlers):
            # It alone: what is written here would be seen by no one, or twice.
            logger.handlers = [_Handler()]
    if prints and not isinstance(sys.stdout, LoggedStdout):
        sys.stdout = LoggedStdout(sys.stdout)
    token = _current.set(sink)
    _open.append(sink)
    try:
        with artifacts_carried_by(sink.take_artifact):
            yield
    finally:
        _open.remove(sink)
        _current.reset(token)


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        # A thread that the task started by itself has no sink of its own, but there may be no doubt whose thread it is.
        sink = _current.get() or (_open[0] if len(_open) == 1 else None)
        if sink is not None:
            sink.take(record)


def _as_bytes(number: int, record: logging.LogRecord) -> bytes:
    fields = {**record.__dict__, "msg": message_of(record), "args": None, "exc_info": None, "exc_text": None}
    plain = {key: value for key, value in fields.items() if type(value) in _PLAIN}
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    if not isinstance(error, BaseException):
        return pickle.dumps((number, plain, None))
    import cloudpickle
    from tblib import pickling_support

    from headwater.sdk.context.pickling import dumps

    try:
        pickling_support.install(error)
        data = dumps((number, plain, error))
        # Some exceptions can be pickled and not be made again from that.
        cloudpickle.loads(data)
    except BaseException:  # noqa: BLE001 - pickling runs the code of whatever is in the exception; its words are left
        words = shown(error, lambda it: "".join(traceback.format_exception(it)).rstrip())
        data = pickle.dumps((number, {**plain, "msg": f"{plain['msg']}\n{words}"}, None))
    return data


class Lines:
    """Logs what the calls of one run say in other processes, from whatever thread it comes in."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)
        self._calls: dict[int, TaskCall] = {}
        self._come: dict[int, int] = {}
        self._changed = threading.Condition()

    def expect(self, call: TaskCall) -> int:
        """Return a number for the call, under which its lines will come."""
        number = next(self._numbers)
        with self._changed:
            self._calls[number], self._come[number] = call, 0
        return number

    def take(self, data: bytes) -> None:
        """Log a line, or record an artifact."""
        number, what, error = pickle.loads(data)  # noqa: S301 - from processes that execute the user's code
        with self._changed:
            call = self._calls.get(number)
        if call is None:
            return
        try:
            if isinstance(what, TaskRunArtifactEvent):
                _record(what, call)
            else:
                _log(what, error, call)
        finally:
            with self._changed:
                self._come[number] += 1
                self._changed.notify_all()

    def finish(self, number: int, *, sent: int, left: Sequence[bytes]) -> None:
        """Return when all lines of the call are logged: those that were sent, and those that are left."""
        is_complete = self._all_have_come(number, sent)
        for data in left:
            self.take(data)
        if is_complete:
            with self._changed:
                del self._calls[number], self._come[number]

    def _all_have_come(self, number: int, sent: int) -> bool:
        """Wait for the lines that were sent, as long as they keep coming."""
        with self._changed:
            while (come := self._come[number]) < sent:
                if not self._changed.wait_for(lambda so_far=come: self._come[number] > so_far, LATE_LINES_SECONDS):  # type: ignore[misc]
                    return False
        return True


def _record(event: TaskRunArtifactEvent, call: TaskCall) -> None:
    try:
        record_artifact(event)
    except HeadwaterError as error:
        # The task went on in its own process, which knows no record: it gets no error.
        _log({"name": ROOT_NAME, "levelno": logging.WARNING, "levelname": "WARNING", "msg": f"Not recorded: {error}"}, None, call)


def _log(fields: dict[str, Any], error: BaseException | None, call: TaskCall) -> None:
    record = logging.makeLogRecord(fields)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    token = current_values.set(call.context)
    try:
        logging.getLogger(record.name).handle(record)
    finally:
        current_values.reset(token)
