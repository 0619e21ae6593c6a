"""Values that people type: `NAME=JSON` pairs, files of parameters, times."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from headwater.core.errors import InvalidArgument, InvalidParameters


def parsed_pairs(pairs: Iterable[str], *, option: str) -> dict[str, Any]:
    """Return the values of `NAME=VALUE` pairs. A value is JSON; a bare word needs no quotes.

    Raises:
        InvalidArgument: a pair has no `=`, or its value looks like JSON and is none.

    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InvalidArgument(f"{option} takes NAME=VALUE, and {pair!r} is not that.", hint=f"Such as {option} count=3.")
        values[name] = parsed_value(name, text, option=option)
    return values


def parsed_value(name: str, text: str, *, option: str) -> Any:
    """Return the value that the text means: JSON, or else the text itself.

    Raises:
        InvalidArgument: it begins like JSON and is none.

    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        if text.lstrip().startswith(("{", "[", '"')):
            raise InvalidArgument(
                f"The value of {option} {name} is not JSON: {error.msg} at character {error.pos + 1} of {text}",
                hint="""Quote the whole for the shell, such as --param 'names=["ana", "bo"]'.""",
            ) from None
        return text


def parsed_object(text: str, *, source: str) -> dict[str, Any]:
    """Return the parameters in a JSON object.

    Raises:
        InvalidParameters: the text is not JSON, or not an object.

    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidParameters(f"{source} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    if not isinstance(value, dict):
        raise InvalidParameters(f"{source} holds {type(value).__name__}, not an object.", hint='Write {"name": value, ...}.')
    return value


def parameters_from(file: Path) -> dict[str, Any]:
    """Return the parameters in a JSON file.

    Raises:
        InvalidParameters: it cannot be read, or holds no JSON object.

    """
    try:
        text = file.expanduser().read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParameters(f"The parameter file {file} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    return parsed_object(text, source=f"The parameter file {file}")


def parsed_time(text: str, *, option: str) -> datetime:
    """Return the time; one without a zone is on this machine's clock.

    Raises:
        InvalidArgument: it is no time.

    """
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise InvalidArgument(
            f"{option} {text!r} is not a time.", hint="Write it like 2026-11-22T08:30 or '2026-11-22 08:30:00+01:00'."
        ) from None
