"""Values as JSON has them: what people and programs send us is decoded here, and checked to be what the log can hold for ever."""

from __future__ import annotations

import json
from typing import Any, NoReturn

DEPTH_MAX = 180
"""How many lists and objects may lie in one another. A commit holds 200 levels at most, and its own are among them."""

_INTEGER_BITS_MAX = 14_000
"""Python writes no whole number of more than 4,300 digits as text."""


class NotPlain(ValueError):
    """The text is not JSON, or its value cannot be stored; says why in words that end a sentence."""


class NotJson(NotPlain):
    """The text is not JSON at all."""


def decoded(text: str | bytes) -> Any:
    """Return the value that the JSON text means. Bytes may be UTF-8, -16 or -32, with a mark of their order or without.

    Raises:
        NotJson: the text is not JSON.
        NotPlain: what it says cannot be stored.

    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}" if error.lineno > 1 else f"character {error.pos + 1}"
        raise NotJson(f"{error.msg} at {where}") from None
    except UnicodeDecodeError as error:
        raise NotJson(f"byte {error.start + 1} is not {error.encoding.upper()}") from None
    except RecursionError:
        raise NotPlain(_TOO_DEEP) from None
    except NotPlain:
        raise
    except ValueError:
        raise NotPlain(_TOO_LONG) from None
    if (problem := problem_of(value)) is not None:
        raise NotPlain(problem)
    return value


def problem_of(value: Any) -> str | None:
    """Return what keeps a value from being stored as JSON, None where nothing does."""
    todo = [(value, 0)]
    while todo:
        found, depth = todo.pop()
        if isinstance(found, dict | list | tuple):
            if depth == DEPTH_MAX:
                return _TOO_DEEP
            if isinstance(found, dict):
                for key in found:
                    if not isinstance(key, str):
                        return f"the key {key!r} is not a string"
                    if (problem := problem_of_text(key)) is not None:
                        return problem
            # The first problem is told, and what is taken from the end was put there last.
            todo += [(item, depth + 1) for item in reversed(list(found.values() if isinstance(found, dict) else found))]
        elif (problem := _problem_of_one(found)) is not None:
            return problem
    return None


def problem_of_text(text: str) -> str | None:
    """Return what keeps a text from being stored, None where nothing does."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return f"the text {shortened(text)!r} is not Unicode: character {error.start + 1} is half of one"
    return None


def shortened(text: str, length: int = 80) -> str:
    """Return the text, its middle left out where it is longer: for sentences that people read."""
    return text if len(text) <= length else f"{text[: length // 2]}…{text[-(length // 2) :]}"


def _problem_of_one(value: Any) -> str | None:
    match value:
        case None | bool():
            return None
        case int():
            return _TOO_LONG if value.bit_length() > _INTEGER_BITS_MAX else None
        case str():
            return problem_of_text(value)
        case float():
            return None if value == value and value not in {float("inf"), float("-inf")} else f"{value} is not a JSON number"  # noqa: PLR0124
        case _:
            return f"{type(value).__name__} is no JSON type"


def _refuse_constant(name: str) -> NoReturn:
    raise NotPlain(f"{name} is not a JSON number")


_TOO_DEEP = f"more than {DEPTH_MAX} lists and objects lie in one another"
_TOO_LONG = "a whole number in it has more than 4,000 digits"
