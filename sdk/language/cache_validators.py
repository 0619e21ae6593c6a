"""Whether an earlier result serves again: functions of the Cached state, the inputs and the parameters of now.

Given to tasks as `cache_validator`, beside `cache_for`. Users can write their own, with the same three arguments. Called directly, those
here take None for no inputs and no parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from headwater.sdk.language.input_hashes import hash_of_input
from headwater.sdk.states.state import Cached

CacheValidator = Callable[[Cached, Mapping[str, Any], Mapping[str, Any]], bool]


def never_use(state: Cached, inputs: Mapping[str, Any] | None, parameters: Mapping[str, Any] | None) -> bool:  # noqa: ARG001 - a validator
    """Never use an earlier result."""
    return False


def duration_only(state: Cached, inputs: Mapping[str, Any] | None, parameters: Mapping[str, Any] | None) -> bool:  # noqa: ARG001 - a validator
    """Use an earlier result until its time is over, whatever the inputs are."""
    return state.cached_result_expiration is None or state.cached_result_expiration > datetime.now(UTC)


def all_inputs(state: Cached, inputs: Mapping[str, Any] | None, parameters: Mapping[str, Any] | None) -> bool:
    """Use an earlier result, until its time is over, for the same inputs of the task."""
    return duration_only(state, inputs, parameters) and _inputs_of(state, None) == {
        name: hash_of_input(value) for name, value in (inputs or {}).items()
    }


def all_parameters(state: Cached, inputs: Mapping[str, Any] | None, parameters: Mapping[str, Any] | None) -> bool:
    """Use an earlier result, until its time is over, for the same parameters of the run."""
    return duration_only(state, inputs, parameters) and (state.cached_parameters or {}) == dict(parameters or {})


def partial_inputs_only(validate_on: Iterable[str] | None = None) -> CacheValidator:
    """Return a validator that uses an earlier result, until its time is over, where these inputs are the same."""
    names = _names(validate_on)

    def validator(state: Cached, inputs: Mapping[str, Any] | None, parameters: Mapping[str, Any] | None) -> bool:
        now = inputs or {}
        known = {name: hash_of_input(now[name]) for name in names if name in now}
        return duration_only(state, inputs, parameters) and _inputs_of(state, names) == known

    validator.__name__ = f"partial_inputs_only({', '.join(names)})"
    return validator


def partial_parameters_only(validate_on: Iterable[str] | None = None) -> CacheValidator:
    """Return a validator that uses an earlier result, until its time is over, where these parameters are the same."""
    names = _names(validate_on)

    def validator(state: Cached, inputs: Mapping[str, Any] | None, parameters: Mapping[str, Any] | None) -> bool:
        before, now = state.cached_parameters or {}, parameters or {}
        return duration_only(state, inputs, parameters) and all(before.get(name, _ABSENT) == now.get(name, _ABSENT) for name in names)

    validator.__name__ = f"partial_parameters_only({', '.join(names)})"
    validator.looks_at_inputs = False  # type: ignore[attr-defined]
    return validator


_ABSENT = object()


def looks_at_inputs(validator: CacheValidator) -> bool:
    """Tell whether the validator tells the children of a mapped task apart by themselves; a user's own is trusted to."""
    return validator not in {never_use, duration_only, all_parameters} and getattr(validator, "looks_at_inputs", True)


def _names(validate_on: Iterable[str] | None) -> tuple[str, ...]:
    return (validate_on,) if isinstance(validate_on, str) else tuple(validate_on or ())


def _inputs_of(state: Cached, names: Iterable[str] | None) -> dict[str, str]:
    hashes = state.hashed_inputs
    if hashes is None:
        hashes = {name: hash_of_input(result.value) for name, result in (state.cached_inputs or {}).items()}
    return dict(hashes) if names is None else {name: hashes[name] for name in names if name in hashes}
