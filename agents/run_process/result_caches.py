"""Results of earlier runs that serve this one: what the views know of them, for the engine."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence

import msgspec

from headwater.core.errors import HeadwaterError
from headwater.core.queries.rows import CachedResultRow
from headwater.sdk.engine.caching import ProcessCaches
from headwater.sdk.states.state import Cached, State

_log = logging.getLogger(__name__)


class ResultCaches:
    """Finds results of this attempt and, by `ask`, of all runs. Results are remembered by being recorded, not by this.

    Where the views do not answer, nothing is found: the task runs.
    """

    def __init__(self, ask: Callable[[str], Sequence[CachedResultRow]]) -> None:
        self._ask = ask
        self._of_this_attempt = ProcessCaches()

    def states(self, key: str) -> Iterable[Cached]:
        yield from self._of_this_attempt.states(key)
        try:
            rows = self._ask(key)
        except HeadwaterError as error:
            _log.warning("Earlier results under %r cannot be looked up, so none is used: %s", key, error)
            return
        for row in rows:
            yield cached_state(row)

    def remember(self, key: str, state: Cached) -> None:
        self._of_this_attempt.remember(key, state)


def cached_state(row: CachedResultRow) -> Cached:
    """Return what the views know of a result as the engine's state; its value is read when a task takes it."""
    state = State.deserialize(
        {
            "type": "Cached",
            "_result": None if row.result is None else msgspec.to_builtins(row.result),
            "cached_parameters": row.parameters,
            "hashed_inputs": row.hashed_inputs,
        }
    )
    assert isinstance(state, Cached)
    state.cached_result_expiration = row.expires_at
    return state
