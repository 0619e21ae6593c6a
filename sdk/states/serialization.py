"""States as JSON values and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from headwater.core.errors import InvalidArgument
from headwater.core.values.moments import standard_moment
from headwater.sdk import results
from headwater.sdk.results import NoResult, NoResultType, Result
from headwater.sdk.results.serializers import DateTimeSerializer, PickleSerializer, serializer_from

if TYPE_CHECKING:
    from headwater.sdk.states.base_state import State

_TIME_FIELDS = frozenset({"start_time", "cached_result_expiration"})


def serialize_state(state: State) -> dict[str, Any]:
    """Return the state as JSON values."""
    data: dict[str, Any] = {
        "type": type(state).__name__,
        "message": state.message,
        "context": dict(state.context),
        "cached_inputs": {name: result.reference() for name, result in state.cached_inputs.items()},
        "_result": state._result.reference(),  # noqa: SLF001 - the state's other half
    }
    for name in state.extra_fields:
        value = getattr(state, name)
        if name == "state" and value is not None:
            value = serialize_state(value)
        elif isinstance(value, datetime):
            value = standard_moment(value).isoformat()
        data[name] = value
    data["__version__"] = version("headwater")
    return data


def deserialize_state(data: dict[str, Any], kinds: Mapping[str, type[State]]) -> State:
    """Return the state that `serialize_state` wrote, of one of these kinds, which are given by their names.

    Raises:
        InvalidArgument: no state is called so.

    """
    kind = kinds.get(data.get("type", ""))
    if kind is None:
        raise InvalidArgument(f"No state is called {data.get('type')!r}; the states are {', '.join(sorted(kinds))}.")
    extras: dict[str, Any] = {}
    for name in kind.extra_fields:
        value = data.get(name)
        if name in _TIME_FIELDS and isinstance(value, str):
            value = datetime.fromisoformat(value)
        elif name == "state" and value is not None:
            value = deserialize_state(value, kinds)
        if value is not None:
            extras[name] = value
    inputs = data.get("cached_inputs") or {}
    state = kind(
        message=data.get("message"),
        result=_result_from(data.get("_result")),
        context=data.get("context") or {},
        cached_inputs={name: _result_from(reference) for name, reference in inputs.items()},
        **extras,
    )
    if state.is_scheduled() and not state.is_meta_state() and data.get("start_time") is None:
        # One that is made without a time starts now.
        vars_of_scheduled: Any = state
        vars_of_scheduled.start_time = None
    return state


def _result_from(reference: dict[str, Any] | None) -> Result:
    if not reference or reference.get("type") == NoResultType.__name__:
        return NoResult
    named = getattr(results, str(reference.get("type")), None)
    # A kind of the user's own: its location is known, how to read it is the task's to say.
    kind = named if isinstance(named, type) and issubclass(named, Result) else Result
    result: Result = Result() if issubclass(kind, results.SecretResult) else kind()
    result.location, result.value = reference.get("location"), reference.get("value")
    serializer = serializer_from(reference.get("serializer"))
    if isinstance(result, results.InlineResult):
        if isinstance(serializer, DateTimeSerializer) and isinstance(result.value, str):
            result.serializer, result.value = serializer, serializer.deserialize(result.value.encode())
        return result
    result.serializer = serializer or PickleSerializer()
    return result
