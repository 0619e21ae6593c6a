"""Results of earlier runs that serve again: who remembers them, and which of them are taken."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from headwater.sdk.language.cache_validators import duration_only, looks_at_inputs
from headwater.sdk.language.input_hashes import hash_of_input
from headwater.sdk.results import Result
from headwater.sdk.states.state import Cached, State

if TYPE_CHECKING:
    from headwater.sdk.language.task import Task

STATES_PER_KEY_MAX = 100
KEYS_MAX = 10_000


class Caches(Protocol):
    """Remembers Cached states under keys. Asked and told by the thread that runs the flow."""

    def states(self, key: str) -> Iterable[Cached]:
        """Return the states remembered under the key, the newest first, a hundred at most."""

    def remember(self, key: str, state: Cached) -> None:
        """Remember the state; what may be found again, and from where, is for the implementation to say."""


class ProcessCaches:
    """Remembers in this process, as long as it lives: what `flow.run()` uses."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, deque[Cached]] = OrderedDict()
        self._lock = threading.Lock()

    def states(self, key: str) -> Iterable[Cached]:
        with self._lock:
            return list(self._states.get(key, ()))

    def remember(self, key: str, state: Cached) -> None:
        with self._lock:
            kept = self._states.setdefault(key, deque(maxlen=STATES_PER_KEY_MAX))
            kept.appendleft(state)
            self._states.move_to_end(key)
            if len(self._states) > KEYS_MAX:
                self._states.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._states.clear()


caches_of_this_process = ProcessCaches()


def cache_key_of(task: Task, slug: str, map_index: int, context: Mapping[str, Any]) -> str:
    """Return the key under which the task's results are remembered.

    Without a `cache_key` of its own, a task shares its results with no other: the key names the flow (its version, where
    it is registered) and the task. Children of a mapped task share where the validator tells them apart by their inputs.
    """
    key = task.cache_key or f"{context.get('flow_id') or context.get('flow_name')}:{slug}"
    validator = task.cache_validator or duration_only
    return key if map_index < 0 or looks_at_inputs(validator) else f"{key}[{map_index}]"


def valid_cached_results(
    task: Task, states: Iterable[Cached], inputs: Mapping[str, Any], parameters: Mapping[str, Any]
) -> Iterable[Cached]:
    """Yield the states that the task's validator lets serve."""
    validator = task.cache_validator or duration_only
    return (state for state in states if validator(state, inputs, parameters))


def cached_again(found: Cached, result: Result) -> Cached:
    """Return the state of a task run that takes the result of an earlier one."""
    until = found.cached_result_expiration
    return Cached(
        "Valid cached state found" + (f", valid until {until.isoformat(timespec='seconds')}." if until is not None else "."),
        result,
        cached_inputs=found.cached_inputs,
        cached_parameters=found.cached_parameters,
        cached_result_expiration=until,
        hashed_inputs=found.hashed_inputs,
    )


def with_expiry(task: Task, state: State, inputs: Mapping[str, Any], parameters: Mapping[str, Any], *, key: str, now: datetime) -> Cached:
    """Return what a task's success is remembered as."""
    assert task.cache_for is not None
    cached = Cached(
        state.message,
        state._result,  # noqa: SLF001 - the state's other half
        cached_inputs={name: Result(value) for name, value in inputs.items()},
        cached_parameters=dict(parameters),
        cached_result_expiration=now + task.cache_for,
        hashed_inputs={name: hash_of_input(value) for name, value in inputs.items()},
    )
    cached.cache_key = key
    return cached
