"""Values that people type: `NAME=JSON` pairs, files of parameters, times, positions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from headwater.core.errors import InvalidArgument, InvalidParameters
from headwater.core.program.user_paths import user_path
from headwater.core.values.limits import TIME_MAX, TIME_MIN
from headwater.core.values.moments import as_local
from headwater.core.values.plain_values import NotJson, NotPlain, decoded, position_in, shortened

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPAN = re.compile(r"(\d+(?:\.\d*)?|\.\d+)([smhdw])", re.ASCII)
_SPANS = re.compile(rf"(?:{_SPAN.pattern})+", re.ASCII)


def parsed_pairs(pairs: Iterable[str], *, option: str) -> dict[str, Any]:
    """Return the values of `NAME=VALUE` pairs. A value is JSON; a bare word needs no quotes.

    Raises:
        InvalidArgument: a pair has no `=`, or its value looks like JSON and is none.

    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InvalidArgument(f"{option} takes NAME=VALUE, and {shortened(pair)!r} is not that.", hint=f"Such as {option} count=3.")
        values[name] = parsed_value(name, text, option=option)
    return values


def parsed_value(name: str, text: str, *, option: str, example: str = """--param 'names=["ana", "bo"]'""") -> Any:
    """Return the value that the text means: JSON, or else the text itself.

    Raises:
        InvalidArgument: it begins like JSON and is none, or it is JSON that cannot be stored.

    """
    try:
        return decoded(text)
    except NotJson as error:
        if not text.lstrip().startswith(("{", "[", '"')):
            return text
        raise InvalidArgument(
            f"The value of {option} {name} is not JSON: {error} of {shortened(text)}",
            hint=f"Quote the whole for the shell, such as {example}.",
        ) from None
    except NotPlain as error:
        raise InvalidArgument(f"The value of {option} {name} cannot be stored: {error}.", hint="Quotes make it a text.") from None


def parsed_object(text: str | bytes, *, source: str) -> dict[str, Any]:
    """Return the parameters in a JSON object.

    Raises:
        InvalidParameters: the text is not JSON, or not an object.

    """
    try:
        value = decoded(text)
    except NotPlain as error:
        raise InvalidParameters(f"{source} is not JSON: {error}.") from None
    if not isinstance(value, dict):
        raise InvalidParameters(f"{source} holds {type(value).__name__}, not an object.", hint='Write {"name": value, ...}.')
    return value


def parameters_from(file: Path) -> dict[str, Any]:
    """Return the parameters in a JSON file; editors that begin files with a mark of their encoding are fine.

    Raises:
        InvalidParameters: it cannot be read, or holds no JSON object.

    """
    try:
        text = user_path(file).read_bytes()
    except OSError as error:
        raise InvalidParameters(f"The parameter file {file} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    return parsed_object(text, source=f"The parameter file {file}")


def parsed_time(text: str, *, option: str) -> datetime:
    """Return the time in this machine's zone; one without a zone is there.

    Raises:
        InvalidArgument: it is not a time, or none that the log can hold.

    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidArgument(
            f"{option} {shortened(text)!r} is not a time.", hint="Write it like 2026-11-22T08:30 or '2026-11-22 08:30:00+01:00'."
        ) from None
    if not TIME_MIN.year < found.year < TIME_MAX.year:
        raise InvalidArgument(f"{option} {text!r} is out of range.", hint=f"Give a time between {TIME_MIN.year} and {TIME_MAX.year}.")
    return as_local(found)


def echoed(what: str, moment: datetime) -> str:
    """Return in words how a time was understood: with its offset, which the person may have left out."""
    return f"{what} {moment.isoformat(sep=' ', timespec='seconds')}."


def parsed_span(text: str, *, option: str) -> timedelta:
    """Return the length of time that the text means, such as 90s, 10m, 1h30m, 2d or 1w.

    Raises:
        InvalidArgument: it is not a length of time, or one that is longer than any.

    """
    if _SPANS.fullmatch(text) is None:
        raise InvalidArgument(f"{option} {shortened(text)!r} is not a length of time.", hint="Write it like 90s, 10m, 1h30m, 2d or 1w.")
    try:
        return sum((timedelta(**{_UNITS[unit]: float(number)}) for number, unit in _SPAN.findall(text)), timedelta())
    except OverflowError:
        raise InvalidArgument(f"{option} {shortened(text)!r} is longer than any time.") from None


def parsed_start(text: str, *, option: str) -> datetime | int:
    """Return from where on a user wants to see the log: a position, or a time, which `10m` (ten minutes ago) is too.

    Raises:
        InvalidArgument: it is none of them.

    """
    if text.isascii() and text.isdigit():
        if (position := position_in(text)) is None:
            raise InvalidArgument(f"{option} {shortened(text)} is not a position: no log is that long.")
        return position
    span = _SPAN.fullmatch(text)
    if span is None:
        return parsed_time(text, option=option)
    try:
        return datetime.now(UTC).astimezone() - timedelta(**{_UNITS[span[2]]: float(span[1])})
    except OverflowError:
        raise InvalidArgument(f"{option} {shortened(text)!r} is longer ago than any time.", hint="Leave it away to begin at 1.") from None
