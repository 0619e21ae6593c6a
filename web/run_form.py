"""The form that starts a run: its fields from the flow's parameters, and what was filled in as a request for a run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from headwater.core.errors import InvalidArgument, InvalidParameters
from headwater.core.events import ParameterSpec
from headwater.core.operations.run_creation import RunRequest
from headwater.core.values.moments import assume_utc
from headwater.core.values.plain_values import NotJson, NotPlain, decoded, shortened

PREFIX = "parameter:"


@dataclass(frozen=True)
class Field:
    """A field for one parameter. `kind` is "bool", "number", "text" or "json"."""

    name: str
    kind: str
    value: str
    required: bool


def parameter_fields(parameters: Sequence[ParameterSpec]) -> list[Field]:
    """Return a field for each parameter, filled with its default; the default's type tells what is filled in."""
    return [_field(parameter) for parameter in parameters]


def _field(parameter: ParameterSpec) -> Field:
    if parameter.required:
        return Field(parameter.name, "json", "", required=True)
    match parameter.default:
        case bool():
            return Field(parameter.name, "bool", json.dumps(parameter.default), required=False)
        case int() | float():
            return Field(parameter.name, "number", json.dumps(parameter.default), required=False)
        case str():
            return Field(parameter.name, "text", parameter.default, required=False)
        case _:
            return Field(parameter.name, "json", json.dumps(parameter.default, ensure_ascii=False), required=False)


@dataclass(frozen=True)
class DefaultField:
    """A field for the default that is set for a parameter; empty where none is. `registered` is the version's own, None where it has none.

    `taken` is false where the version has no such parameter: the value waits for one that has.
    """

    name: str
    value: str
    registered: str | None
    taken: bool = True


def default_fields(parameters: Sequence[ParameterSpec], defaults: Mapping[str, Any]) -> list[DefaultField]:
    """Return a field for each parameter, and for each default that is set for one that is gone."""
    fields = [DefaultField(each.name, _written(defaults, each.name), None if each.required else _json(each.default)) for each in parameters]
    known = {each.name for each in parameters}
    return [*fields, *(DefaultField(name, _written(defaults, name), None, taken=False) for name in defaults if name not in known)]


def default_parameters(form: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults that were filled in; empty fields mean that none is set.

    Raises:
        InvalidParameters: a field looks like JSON and is none.

    """
    filled = {name.removeprefix(PREFIX): value for name, value in form.items() if name.startswith(PREFIX) and isinstance(value, str)}
    return {name: _value(value.strip(), Field(name, "json", "", required=False)) for name, value in filled.items() if value.strip()}


def chosen_labels(form: Mapping[str, Any]) -> list[str] | None:
    """Return the labels that were filled in, None where the form says that it means no own ones."""
    if not _text(form, "own_labels"):
        return None
    return [label for part in _text(form, "labels").replace("\n", ",").split(",") if (label := part.strip())]


def _written(defaults: Mapping[str, Any], name: str) -> str:
    """Return a value as people write it: a text that reads as nothing else, without its quotes."""
    if name not in defaults:
        return ""
    value = defaults[name]
    try:
        bare = isinstance(value, str) and value == value.strip() != "" and _value(value, Field(name, "json", "", required=False)) == value
    except InvalidParameters:
        bare = False
    return value if bare else _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def run_request(form: Mapping[str, Any], parameters: Sequence[ParameterSpec]) -> RunRequest:
    """Return what the form asks for. What was left empty, or as it was, is left to the flow.

    Raises:
        InvalidArgument: a field holds what it cannot.

    """
    return RunRequest(
        parameters=_parameters(form, parameters),
        labels=chosen_labels(form),
        name=_text(form, "name") or None,
        context=_json_object(_text(form, "context"), "context"),
        due_at=_start_time(_text(form, "start_utc") or _text(form, "start")) if _text(form, "when") == "later" else None,
    )


def _text(form: Mapping[str, Any], name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _parameters(form: Mapping[str, Any], parameters: Sequence[ParameterSpec]) -> dict[str, Any]:
    if given := _text(form, "parameters"):
        return _json_object(given, "parameters")
    found: dict[str, Any] = {}
    for field in parameter_fields(parameters):
        filled = form.get(PREFIX + field.name)
        if not isinstance(filled, str) or (filled == field.value and not field.required):
            continue
        if field.kind == "text":
            found[field.name] = filled
        elif filled.strip():
            found[field.name] = _value(filled, field)
    return found


def _value(filled: str, field: Field) -> Any:
    """Return what was filled in: JSON, or in a field that may hold anything, text that is not JSON as it is."""
    try:
        return decoded(filled)
    except NotJson:
        if field.kind == "json" and not filled.lstrip().startswith(("{", "[", '"')):
            return filled
        raise InvalidParameters(f"The value of parameter {field.name!r} is not JSON: {shortened(filled)!r}.") from None
    except NotPlain as error:
        raise InvalidParameters(f"The value of parameter {field.name!r} cannot be stored: {error}.") from None


def _json_object(text: str, what: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = decoded(text)
    except NotPlain as error:
        raise InvalidArgument(f"What was given as {what} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InvalidArgument(f"What was given as {what} is not a JSON object.", hint='Write it like {"name": "value"}.')
    return value


def _start_time(text: str) -> datetime:
    """Return the time in the field. The page's script gives it in UTC; where none runs, the field says that it is UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(f"{shortened(text)!r} is not a time.", hint="Choose a day and a time, such as 2026-11-22T08:30.") from None
    return assume_utc(at)
