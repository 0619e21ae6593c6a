"""Messages as bytes: JSON, in which text that is not UTF-8 is escaped."""

from __future__ import annotations

from typing import Any

import msgspec

from headwater.core.text import escaped
from headwater.core.values.moments import standard_value

_encode = msgspec.json.Encoder(enc_hook=standard_value).encode


def json_bytes(value: Any) -> bytes:
    """Return the value, made of what messages are made of, as JSON; text that is not UTF-8 is escaped in it."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(_escaped_inside(msgspec.to_builtins(value, enc_hook=standard_value)))


def _escaped_inside(value: Any) -> Any:
    match value:
        case str():
            return escaped(value)
        case dict():
            return {_escaped_inside(key): _escaped_inside(each) for key, each in value.items()}
        case list() | tuple():
            return [_escaped_inside(each) for each in value]
        case _:
            return value
