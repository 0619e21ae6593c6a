"""States of very many aggregates: those touched last are in memory, the others in a temporary file, however many there are.

Nearly all of a log is about runs that ended long ago. The file is SQLite's own temporary database: it has no name, no other program
sees it, and it is gone with the process.
"""

from __future__ import annotations

import pickle
import sqlite3
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from headwater.core.errors import HeadwaterError

State = TypeVar("State")

WEIGHT_MAX = 20_000
"""So much is in memory, where a state without parts weighs 1."""
_CACHE_KIB = 8 * 1024


class NoRoomToFold(HeadwaterError):
    """What is folded from the log is more than there is memory for, and the temporary file cannot be written."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The log is folded with a temporary file, which cannot be written: {reason}.",
            hint="Make room in the folder for temporary files, or name another one in TMPDIR.",
        )


class KeptStates(Generic[State]):
    """States by key. `weight` says how much memory a state takes, as a multiple of what one without parts takes."""

    def __init__(self, weight: Callable[[State], int] = lambda _: 1, *, weight_max: int = WEIGHT_MAX) -> None:
        self._weight = weight
        self._weight_max = weight_max
        self._total = 0
        self._count = 0
        self._near: dict[str, tuple[int, int, State]] = {}  # its number in the order of arrival, and its weight; touched last, it is last
        self._far: sqlite3.Connection | None = None

    def __len__(self) -> int:
        return self._count

    def __del__(self) -> None:
        if self._far is not None:
            self._far.close()

    def get(self, key: str) -> State | None:
        """Return the state; None where there is none."""
        found = self._near.get(key) or self._fetch(key)
        return None if found is None else found[2]

    def set(self, key: str, state: State) -> None:
        """Keep the state, which may be the one that `get` returned, changed.

        Raises:
            NoRoomToFold: the temporary file cannot be written.

        """
        found = self._near.pop(key, None) or self._fetch(key)
        if found is None:
            self._count += 1
            number = self._count
        else:
            number = found[0]
            self._total -= self._near.pop(key, found)[1]
        weight = self._weight(state)
        self._total += weight
        self._near[key] = (number, weight, state)
        if self._total > self._weight_max:
            self._put_away()

    def items(self) -> Iterator[tuple[str, State]]:
        """Yield every key with its state, in the order in which they came. None may be set meanwhile."""
        near = iter(sorted((number, key) for key, (number, _, _) in self._near.items()))
        next_near = next(near, None)
        for number, key, data in self._all_far():
            while next_near is not None and next_near[0] <= number:
                yield next_near[1], self._near[next_near[1]][2]
                next_near = next(near, None)
            if key not in self._near:
                yield key, pickle.loads(data)  # noqa: S301 - our own bytes of a moment ago
        while next_near is not None:
            yield next_near[1], self._near[next_near[1]][2]
            next_near = next(near, None)

    def _fetch(self, key: str) -> tuple[int, int, State] | None:
        """Bring a state that was put away back into memory."""
        if self._far is None:
            return None
        row = self._far.execute("SELECT number, state FROM states WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        state: State = pickle.loads(row[1])  # noqa: S301 - our own bytes of a moment ago
        found = self._near[key] = (row[0], self._weight(state), state)
        self._total += found[1]
        return found

    def _all_far(self) -> Iterator[tuple[int, str, bytes]]:
        if self._far is not None:
            yield from self._far.execute("SELECT number, key, state FROM states ORDER BY number")

    def _put_away(self) -> None:
        """Write those out that were touched longest ago, until half of what may be in memory is left; the last one stays."""
        leaving: list[tuple[int, str, bytes]] = []
        for key in list(self._near)[:-1]:
            if self._total <= self._weight_max // 2:
                break
            number, weight, state = self._near.pop(key)
            self._total -= weight
            leaving.append((number, key, pickle.dumps(state, pickle.HIGHEST_PROTOCOL)))
        try:
            if self._far is None:
                self._far = _temporary_database()
            with self._far:
                self._far.executemany("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", leaving)
        except sqlite3.Error as error:
            raise NoRoomToFold(str(error)) from error


def _temporary_database() -> sqlite3.Connection:
    database = sqlite3.connect("", check_same_thread=False)
    database.execute("PRAGMA journal_mode = OFF")
    database.execute("PRAGMA synchronous = OFF")
    database.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    database.execute("CREATE TABLE states (number INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL, state BLOB NOT NULL)")
    return database
