"""States of very many aggregates: those touched last are in memory, the others in a temporary file, however many there are.

Nearly all of a log is about runs that ended long ago. The file is SQLite's own temporary database: it has no name, no other program
sees it, and it is gone with the process.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Iterator
from typing import Generic, TypeVar

from headwater.core.errors import HeadwaterError

State = TypeVar("State")

WEIGHT_MAX = 64 * 1024 * 1024
"""About so many bytes of states are in memory. What is folded into a state takes several times the bytes that it has in the log."""
BYTES_FACTOR = 4
WEIGHT_OF_ONE = 1024
NEAR_MIN = 16
"""So many that were touched last stay in memory, whatever they weigh: large ones may be touched in turn."""
_CACHE_KIB = 8 * 1024


class NoRoomToFold(HeadwaterError):
    """What is folded from the log is more than there is memory for, and the temporary file cannot be written."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The log is folded with a temporary file, which cannot be written: {reason}.",
            hint="Make room in the folder for temporary files, or name another one in TMPDIR.",
        )


class _Near(Generic[State]):
    """A state in memory. `number`: its place in the order of arrival; `is_new`: the file has it not, or as it was before."""

    __slots__ = ("is_new", "number", "state", "weight")

    def __init__(self, number: int, weight: int, state: State, *, is_new: bool) -> None:
        self.number, self.weight, self.state, self.is_new = number, weight, state, is_new


class KeptStates(Generic[State]):
    """States by key. Each weighs what was folded into it, in bytes of the log."""

    def __init__(self, *, weight_max: int = WEIGHT_MAX, near_min: int | None = None) -> None:
        self._weight_max = weight_max
        self._near_min = NEAR_MIN if near_min is None else near_min
        self._total = 0
        self._count = 0
        self._near: dict[str, _Near[State]] = {}  # touched last, it is last
        self._far: sqlite3.Connection | None = None

    def __len__(self) -> int:
        return self._count

    def __del__(self) -> None:
        if self._far is not None:
            self._far.close()

    def get(self, key: str) -> State | None:
        """Return the state; None where there is none.

        Raises:
            NoRoomToFold: the temporary file cannot be written.

        """
        found = self._touch(key)
        return None if found is None else found.state

    def set(self, key: str, state: State, *, grown_bytes: int) -> None:
        """Keep the state, which may be the one that `get` returned, changed. So many bytes were folded into it since.

        Raises:
            NoRoomToFold: the temporary file cannot be written.

        """
        found = self._touch(key)
        if found is None:
            self._count += 1
            self._total += WEIGHT_OF_ONE
            found = self._near[key] = _Near(self._count, WEIGHT_OF_ONE, state, is_new=True)
        found.state, found.is_new = state, True
        # Of one that is set again and again, what was folded says less and less of what it holds.
        grown = max(0, min(BYTES_FACTOR * grown_bytes, self._weight_max // 4 - found.weight))
        found.weight += grown
        self._total += grown
        self._put_away()

    def items(self) -> Iterator[tuple[str, State]]:
        """Yield every key with its state, in the order in which they came. None may be asked for or set meanwhile."""
        near = iter(sorted((each.number, key) for key, each in self._near.items()))
        next_near = next(near, None)
        for number, key, data in self._all_far():
            while next_near is not None and next_near[0] <= number:
                yield next_near[1], self._near[next_near[1]].state
                next_near = next(near, None)
            if key not in self._near:
                yield key, pickle.loads(data)  # noqa: S301 - our own bytes of a moment ago
        while next_near is not None:
            yield next_near[1], self._near[next_near[1]].state
            next_near = next(near, None)

    def _touch(self, key: str) -> _Near[State] | None:
        """Return what there is of this key, in memory from here on."""
        found = self._near.pop(key, None)
        if found is not None:
            self._near[key] = found
            return found
        if self._far is None:
            return None
        row = self._far.execute("SELECT number, weight, state FROM states WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        number, weight, data = row
        found = self._near[key] = _Near(number, weight, pickle.loads(data), is_new=False)  # noqa: S301 - our own bytes of a moment ago
        self._total += weight
        self._put_away()
        return found

    def _all_far(self) -> Iterator[tuple[int, str, bytes]]:
        if self._far is not None:
            yield from self._far.execute("SELECT number, key, state FROM states ORDER BY number")

    def _put_away(self) -> None:
        """Where too much is in memory, write those out that were touched longest ago, until it is half of what may be."""
        if self._total <= self._weight_max or len(self._near) <= self._near_min:
            return
        leaving: list[tuple[int, str, int, bytes]] = []
        for key in list(self._near)[: -self._near_min]:
            if self._total <= self._weight_max // 2:
                break
            each = self._near.pop(key)
            self._total -= each.weight
            if each.is_new:
                leaving.append((each.number, key, each.weight, pickle.dumps(each.state, pickle.HIGHEST_PROTOCOL)))
        try:
            if self._far is None:
                self._far = _temporary_database()
            with self._far:
                self._far.executemany("INSERT OR REPLACE INTO states VALUES (?, ?, ?, ?)", leaving)
        except sqlite3.Error as error:
            raise NoRoomToFold(str(error)) from error


def _temporary_database() -> sqlite3.Connection:
    database = sqlite3.connect("", check_same_thread=False)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    database.execute(
        "CREATE TABLE states (number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, weight INTEGER NOT NULL, state BLOB NOT NULL)"
    )
    return database
