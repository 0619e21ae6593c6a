"""One execution of a task's code, apart from everything that surrounds it: what executors carry to where it runs."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from datetime import timedelta
from typing import Any

from headwater.core.text import shown
from headwater.sdk.context.interrupts import is_being_interrupted, is_interrupt
from headwater.sdk.context.logging import Prints, prints
from headwater.sdk.context.values import current_values
from headwater.sdk.executors.timeouts import TaskTimedOut, run_with_timeout
from headwater.sdk.language.task import Task
from headwater.sdk.results import Result
from headwater.sdk.results.checkpoints import CONTEXT_KEY
from headwater.sdk.states.signals import ENDRUN, StateSignal
from headwater.sdk.states.state import Failed, Looped, State, Success, TimedOut, _MetaState


class TaskCall:
    """A task with the inputs and the context of one execution; `result_kind` says where its value is kept, if anywhere."""

    __slots__ = ("context", "inputs", "result_kind", "task")

    def __init__(self, task: Task, inputs: dict[str, Any], context: dict[str, Any], result_kind: Result | None = None) -> None:
        self.task = task
        self.inputs = inputs
        self.context = context
        self.result_kind = result_kind


class EndedForGood(_MetaState):
    """The task's code ended by ENDRUN: the state around which this is is final, and no retry follows."""

    __slots__ = ()


def execute(call: TaskCall) -> State:
    """Run the task's code and return the state in which that ended. Raises nothing but an interrupt from outside."""
    token = current_values.set(call.context)
    printed = Prints(call.context["logger"]) if call.task.log_stdout else None
    printing = prints.set(printed) if printed is not None else None
    try:
        return _unless_interrupted(_ended(call))
    except TaskTimedOut as error:
        return TimedOut("Task timed out during execution.", result=error)
    except BaseException as error:  # however the user's code ends, exit and cancellation too, its run goes on
        if is_interrupt(error) or call.context.get("raise_on_exception"):
            raise
        if is_being_interrupted():
            raise KeyboardInterrupt from error
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

    timeout: Any = call.task.timeout
    if timeout is None:
        return run()
    # Tasks that were pickled before have it as a timedelta.
    return run_with_timeout(run, timeout.total_seconds() if isinstance(timeout, timedelta) else timeout)


def _ended(call: TaskCall) -> State:
    """Return the state in which the task's code ends: by returning, or by a signal. A value is kept where it is to be."""
    try:
        value = _value_of(call)
    except StateSignal as signal:
        state: object = signal.state
        if not isinstance(state, State):
            return Failed("The signal holds no state.", result=signal)
        if isinstance(signal, ENDRUN):
            return EndedForGood(state=state)
        if type(state) is Success:
            state.result = _stored(call, state._result)  # noqa: SLF001 - the state's other half
        elif type(state) is Looped:
            state.message = state.message or f"Task is looping ({state.loop_count})"
            state.result = _stored_in_loop(call, state._result)  # noqa: SLF001
        return state
    if call.result_kind is None and CONTEXT_KEY not in call.context:
        return Success("Task run succeeded.", value)
    return Success("Task run succeeded.", result=_stored(call, Result(value)))


def _unless_interrupted(state: State) -> State:
    """Return the state; raise the interrupt of which a failure may have come."""
    ended = state.state if isinstance(state, EndedForGood) else state
    if isinstance(ended, Failed) and is_being_interrupted():
        raise KeyboardInterrupt
    return state


def _stored(call: TaskCall, given: Result) -> Result:
    """Return the value as a result that says where it is kept, if it is."""
    value = given.value
    if value is None or given.location is not None:
        return given
    if call.result_kind is not None:
        if not isinstance(value, StateSignal):
            return call.result_kind.write(value, **_known(call))
        # No value was given: where signals can be kept they are, and where not, nothing is lost.
        with suppress(Exception):
            return call.result_kind.write(value, **_known(call))
    elif CONTEXT_KEY in call.context and call.task.checkpoint is not False:
        kept: Result = call.context[CONTEXT_KEY].store(value, call.context)
        return kept
    return given


def _stored_in_loop(call: TaskCall, given: Result) -> Result:
    """Return what a round of a loop hands to the next, kept so that another process can go on with it.

    Not under a location that the user chose: there belongs the value that the loop ends with.
    """
    if call.result_kind is not None and call.result_kind.location is None and given.value is not None:
        return _stored(call, given)
    if CONTEXT_KEY in call.context and call.task.checkpoint is not False:
        kept: Result = call.context[CONTEXT_KEY].store(given.value, call.context, is_read=True)
        return kept
    return given


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
