"""What the runs of flows and of tasks have in common: the user's handlers of state changes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, NamedTuple

from headwater.core.text import shown
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.language.task import StateHandler
from headwater.sdk.states.signals import ENDRUN, PAUSE, StateSignal
from headwater.sdk.states.state import Failed, State

__all__ = ["ENDRUN", "Handled", "call_state_handlers"]


class Handled(NamedTuple):
    """The state that is entered after the handlers were told of it, and whether a retry or a cache may follow from it."""

    state: State
    may_go_on: bool = True


def call_state_handlers(handlers: Iterable[StateHandler], subject: Any, old: State, new: State, logger: logging.Logger) -> Handled:
    """Tell each handler in turn of the change, and return the state that is entered: `new`, or what a handler made of it.

    A handler may return a state or raise a signal; any other exception makes the state Failed. Nothing follows from such a
    failure, nor from the states of ENDRUN and PAUSE.
    """
    try:
        for handler in handlers:
            new = as_state(handler(subject, old, new) or new, "A state handler returned")
    except (ENDRUN, PAUSE) as signal:
        return Handled(signal.state, may_go_on=False)
    except StateSignal as signal:
        return Handled(signal.state)
    except BaseException as error:  # a handler is the user's code
        if is_interrupt(error):
            raise
        logger.exception("Exception raised while calling state handlers.")
        return Handled(Failed("Exception raised while calling state handlers.", result=error), may_go_on=False)
    return Handled(new)


def as_state(given: object, told: str) -> State:
    """Return what code of the user's gave as a state.

    Raises:
        TypeError: it is none; `told` begins the sentence.

    """
    if not isinstance(given, State):
        raise TypeError(f"{told} {shown(given)}, which is not a state: it must be a state, such as Failed('too little'), or None.")
    return given
