"""What the runs of flows and of tasks have in common: the user's handlers of state changes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from headwater.engine.signals import ENDRUN, StateSignal
from headwater.engine.state import Failed, State
from headwater.graph.task import StateHandler

__all__ = ["ENDRUN", "call_state_handlers"]


def call_state_handlers(handlers: Iterable[StateHandler], subject: Any, old: State, new: State, logger: logging.Logger) -> State:
    """Tell each handler in turn of the change, and return the state that is entered: `new`, or what a handler made of it.

    A handler may return a state or raise a signal; any other exception makes the state Failed.
    """
    try:
        for handler in handlers:
            new = handler(subject, old, new) or new
    except StateSignal as signal:
        return signal.state
    except Exception as error:  # a handler is the user's code
        logger.exception("Exception raised while calling state handlers.")
        return Failed("Exception raised while calling state handlers.", result=error)
    return new
