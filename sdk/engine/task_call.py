"""One execution of a task's code, apart from everything that surrounds it: what executors carry to where it runs."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from typing import Any

from headwater.core.text import shown
from headwater.engine.checkpoints import CONTEXT_KEY
from headwater.engine.interrupts import is_interrupt
from headwater.engine.results import Result
from headwater.engine.signals import StateSignal
from headwater.engine.state import Failed, State, Success, TimedOut
from headwater.engine.timeouts import TaskTimedOut, run_with_timeout
from headwater.graph.task import Task
from headwater.utilities.context import current_values
from headwater.utilities.logging import Prints, prints


class TaskCall:
    """A task with the inputs and the context of one execution; `result_kind` says where its value is kept, if anywhere."""

    __slots__ = ("context", "inputs", "result_kind", "task")

    def __init__(self, task: Task, inputs: dict[str, Any], context: dict[str, Any], result_kind: Result | None = None) -> None:
        self.task = task
        self.inputs = inputs
        self.context = context
        self.result_kind = result_kind


def execute(call: TaskCall) -> State:
    """Run the task's code and return the state in which that ended. Raises nothing but an interrupt from outside."""
    token = current_values.set(call.context)
    printed = Prints(call.context["logger"]) if call.task.log_stdout else None
    printing = prints.set(printed) if printed is not None else None
    try:
        return _succeeded(call, _value_of(call))
    except StateSignal as signal:
        state = signal.state
        return state if isinstance(state, State) else Failed("The signal holds no state.", result=signal)
    except TaskTimedOut as error:
        return TimedOut("Task timed out during execution.", result=error)
    except BaseException as error:  # however the user's code ends, exit and cancellation too, its run goes on
        if is_interrupt(error) or call.context.get("raise_on_exception"):
            raise
        _without_our_frames(error)
        return Failed(f"Error during execution of task: {shown(error)}", result=error)
    finally:
        if printed is not None and printing is not None:
            prints.reset(printing)
            printed.close()
        current_values.reset(token)


def _value_of(call: TaskCall) -> Any:
    def run() -> Any:
        value = call.task.run(**call.inputs)
        return _finished(value) if inspect.iscoroutine(value) else value

    timeout = call.task.timeout
    return run() if timeout is None else run_with_timeout(run, timeout.total_seconds())


def _succeeded(call: TaskCall, value: Any) -> State:
    """Return the state of a task that returned this value, which is kept where it is to be."""
    if isinstance(value, State):
        return value
    if call.result_kind is not None and value is not None:
        return Success("Task run succeeded.", result=call.result_kind.write(value, **_known(call)))
    if CONTEXT_KEY in call.context and value is not None and call.task.checkpoint is not False:
        return Success("Task run succeeded.", result=call.context[CONTEXT_KEY].keep(value, call.context))
    return Success("Task run succeeded.", value)


def _known(call: TaskCall) -> dict[str, Any]:
    """Return what a kind of results of the user's own may make its location of: parameters, context and inputs, by name."""
    known = {**(call.context.get("parameters") or {}), **call.context, **call.inputs}
    known.pop("value_", None)  # the name of what is written
    return known


def _without_our_frames(error: BaseException) -> None:
    """Let the traceback begin at the user's code: the frames of this module say nothing to them."""
    with suppress(Exception):  # a class of the user's may have its own idea of a traceback
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        error.__traceback__ = trace


def _finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run the coroutine of an `async def` task to its end, also where an event loop runs already, as in notebooks."""
    import asyncio  # takes longer to import than most tasks take to run

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    return in_thread(lambda: asyncio.run(coroutine))


def in_thread(function: Callable[[], Any]) -> Any:
    """Call `function` in a thread that sees the context of this one, and return or raise what it does."""
    outcome: list[Any] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            outcome.append(function())
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            errors.append(error)

    thread = threading.Thread(target=copy_context().run, args=(work,), name="headwater-task")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return outcome[0]
