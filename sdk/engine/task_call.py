"""One execution of a task's code, apart from everything that surrounds it: what executors carry to where it runs."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from typing import Any

from headwater.engine.checkpoints import CONTEXT_KEY
from headwater.engine.results import Result
from headwater.engine.signals import StateSignal
from headwater.engine.state import Failed, State, Success, TimedOut
from headwater.engine.timeouts import TaskTimedOut, run_with_timeout
from headwater.graph.task import Task
from headwater.utilities.context import current_values
from headwater.utilities.logging import print_logger


class TaskCall:
    """A task with the inputs and the context of one execution; `result_kind` says where its value is kept, if anywhere."""

    __slots__ = ("context", "inputs", "result_kind", "task")

    def __init__(self, task: Task, inputs: dict[str, Any], context: dict[str, Any], result_kind: Result | None = None) -> None:
        self.task = task
        self.inputs = inputs
        self.context = context
        self.result_kind = result_kind


def execute(call: TaskCall) -> State:  # noqa: PLR0912 - one arm for each way in which code can end
    """Run the task's code and return the state in which that ended. Raises nothing but KeyboardInterrupt."""
    task = call.task
    token = current_values.set(call.context)
    printing = print_logger.set(call.context["logger"]) if task.log_stdout else None
    try:
        if task.timeout is None:
            value = task.run(**call.inputs)
        else:
            value = run_with_timeout(lambda: task.run(**call.inputs), task.timeout.total_seconds())
        if inspect.iscoroutine(value):
            value = _finished(value)
        if isinstance(value, State):
            return value
        if call.result_kind is not None and value is not None:
            return Success("Task run succeeded.", result=call.result_kind.write(value, **call.context))
        if CONTEXT_KEY in call.context and value is not None and task.checkpoint is not False:
            return Success("Task run succeeded.", result=call.context[CONTEXT_KEY].keep(value, call.context))
        return Success("Task run succeeded.", value)
    except StateSignal as signal:
        return signal.state
    except TaskTimedOut as error:
        return TimedOut("Task timed out during execution.", result=error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # however the user's code ends, exit and cancellation too, its run goes on
        if call.context.get("raise_on_exception"):
            raise
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            # The frame of this function tells the user nothing.
            error.__traceback__ = error.__traceback__.tb_next
        return Failed(f"Error during execution of task: {error!r}", result=error)
    finally:
        if printing is not None:
            print_logger.reset(printing)
        current_values.reset(token)


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
