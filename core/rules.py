"""What rules are: for each aggregate what may happen (`decide`) and what it means (`evolve`). Pure: no clock, no ids, no I/O.

Each aggregate has a folder: its events, its commands, its state with `evolve`, and its rules with `decide`. `decide` returns the events
that the command leads to, none where what is asked already holds, and raises a `CommandRejected` where the rules do not allow it.
`evolve` never fails on what `decide` gave, and passes over events it does not know.
"""

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

    `tells_all` tells whether an event says the whole state: a reader need not read what is before one that does. None: none does.
    """

    initial: State
    evolve: Callable[[State, AnyEvent], State]
    decide: Callable[[State, Command], Sequence[AnyEvent]]
    tells_all: Callable[[AnyEvent], bool] | None = None

    def fold(self, events: Iterable[AnyEvent], state: State | None = None) -> State:
        """Return the state that these events lead to, from `state` or from nothing."""
        folded = self.initial if state is None else state
        for event in events:
            folded = self.evolve(folded, event)
        return folded
