"""Raise one of these inside a task to choose the state in which it ends.

    raise signals.SKIP("Nothing new today.")
    raise signals.RETRY("The file is not there yet.", start_time=in_ten_minutes)
    raise signals.LOOP(result=page)

They derive from `BaseException`, so `except Exception` in a task does not catch them by accident.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from headwater.sdk.states import state as states
from headwater.sdk.states.state import State


class StateSignal(BaseException):
    """Base of the signals. Arguments beyond the message are those of the state; `signal.state` is that state.

    Without `result=`, the result of the state is the signal itself: tasks that take the result get it, and can look at it.
    """

    state_class: ClassVar[type[State]] = State

    def __init__(self, message: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(message)
        kwargs.setdefault("result", self)
        self.state: State = self.state_class(message, *args, **kwargs)


class FAIL(StateSignal):
    """The task ends Failed. Retries apply as to any failure."""

    state_class = states.Failed


class TRIGGERFAIL(FAIL):
    """The task ends TriggerFailed; for triggers, after which it is not tried again."""

    state_class = states.TriggerFailed


class VALIDATIONFAIL(FAIL):
    """The task ends ValidationFailed. Retries apply as to any failure."""

    state_class = states.ValidationFailed


class SUCCESS(StateSignal):
    """The task ends Success, with `result=` as its value."""

    state_class = states.Success


class SKIP(StateSignal):
    """The task ends Skipped, and with it those after it that have `skip_on_upstream_skip`."""

    state_class = states.Skipped


class RETRY(StateSignal):
    """The task runs again at `start_time=` (now, if none is given), whatever its `max_retries`."""

    state_class = states.Retrying


class PAUSE(StateSignal):
    """The task waits until `start_time=`, or until a user resumes it."""

    state_class = states.Paused


class LOOP(StateSignal):
    """The task runs again at once; it finds `result=` as `context.task_loop_result`, and `context.task_loop_count`.

    Without `result=`, it finds the words of the signal.
    """

    state_class = states.Looped

    def __init__(self, message: str | None = None, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("result", repr(self))
        super().__init__(message, *args, **kwargs)


class ENDRUN(StateSignal):
    """The task run ends in `state`, whatever that is.

    Raises:
        TypeError: `state` is not a state.

    """

    def __init__(self, state: State) -> None:
        if not isinstance(state, State):
            raise TypeError(f"ENDRUN takes the state in which to end, such as Success('done', result=1), and {state!r} is none.")
        BaseException.__init__(self, state)
        self.state = state


def signal_from_state(state: State) -> type[StateSignal]:
    """Return the signal that leads to states of this kind.

    Raises:
        ValueError: no signal does.

    """
    for signal in _kinds_of(StateSignal):
        if type(state) is signal.state_class and signal is not ENDRUN:
            return signal
    raise ValueError(f"No signal leads to the state {type(state).__name__}.")


def _kinds_of(signal: type[StateSignal]) -> Iterator[type[StateSignal]]:
    for kind in signal.__subclasses__():
        yield kind
        yield from _kinds_of(kind)
