"""Dead letters, in a dictionary."""

from __future__ import annotations

import anyio.lowlevel

from headwater.core.log.commit import Position
from headwater.core.log.dead_letters import DeadLetter
from headwater.core.log.protocol import KeptLetter


class MemoryDeadLetters:
    """`DeadLetters` in memory."""

    def __init__(self) -> None:
        self._kept: dict[Position, DeadLetter] = {}
        self._last: Position = 0

    async def keep(self, letter: DeadLetter) -> Position:
        await anyio.lowlevel.checkpoint()
        for position, kept in self._kept.items():
            if kept.id == letter.id:
                return position
        self._last += 1
        self._kept[self._last] = letter
        return self._last

    async def read(self, *, newest: int | None = None) -> list[KeptLetter]:
        await anyio.lowlevel.checkpoint()
        after = 0 if newest is None else self._last - newest
        return [KeptLetter(position, letter) for position, letter in self._kept.items() if position > after]

    async def count(self) -> int:
        await anyio.lowlevel.checkpoint()
        return len(self._kept)

    async def get(self, position: Position) -> DeadLetter | None:
        await anyio.lowlevel.checkpoint()
        return self._kept.get(position)

    async def remove(self, position: Position) -> None:
        await anyio.lowlevel.checkpoint()
        self._kept.pop(position, None)
