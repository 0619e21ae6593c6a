"""JSON that people and programs send us: decoded here, and checked to be what the log can hold for ever."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from headwater.core.text import is_utf8
from headwater.core.values.json_values import INT64_MAX, VALUE_DEPTH_MAX, json_problem


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
        raise NotPlain(f"it nests deeper than {VALUE_DEPTH_MAX} levels") from None
    except NotPlain:
        raise
    except ValueError:
        raise NotPlain("a whole number in it has more than 4,300 digits") from None
    if (problem := json_problem(value)) is not None:
        raise NotPlain(problem)
    return value


def position_in(text: str) -> int | None:
    """Return the position in the log that the digits name; None where that is not a number, or no log is that long."""
    digits = text.lstrip("0") or text[-1:]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > len(str(INT64_MAX)):
        return None
    position = int(digits)
    return position if position <= INT64_MAX else None


def problem_of_text(text: str) -> str | None:
    """Return what keeps a text from being sent and stored, None where nothing does."""
    return None if is_utf8(text) else f"{shortened(text)!r} is not UTF-8"


def shortened(text: str, length: int = 80) -> str:
    """Return the text, its middle left out where it is longer: for sentences that people read."""
    return text if len(text) <= length else f"{text[: length // 2]}…{text[-(length // 2) :]}"


def _refuse_constant(name: str) -> NoReturn:
    raise NotPlain(f"{name} is not a JSON number")
