"""The shape that all rules share, and the fold over what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from headwater.core.events import AnyEvent

State = TypeVar("State")
Command = TypeVar("Command")


@dataclass(frozen=True)
class Rules(Generic[State, Command]):
    """The rules of one kind of aggregate.

    `last_event_tells_all`: the last commit says the whole state, so a reader need not read those before it.
    """

    initial: State
    evolve: Callable[[State, AnyEvent], State]
    decide: Callable[[State, Command], Sequence[AnyEvent]]
    last_event_tells_all: bool = False

    def fold(self, events: Iterable[AnyEvent], state: State | None = None) -> State:
        """Return the state that these events lead to, from `state` or from nothing."""
        folded = self.initial if state is None else state
        for event in events:
            folded = self.evolve(folded, event)
        return folded
