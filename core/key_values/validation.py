"""What may be a key, and what a value."""

from __future__ import annotations

import json
from typing import Any

from headwater.core.errors import InvalidKeyValue, InvalidName
from headwater.core.values.json_values import json_problem
from headwater.core.values.names import valid_name
from headwater.core.values.plain_values import shortened

VALUE_CHARACTERS_MAX = 10_000
"""How long a value may be as JSON, in which characters beyond ASCII are escaped: 10 KB."""


def valid_key(key: object) -> str:
    """Return the key, if it may be one: printable text of 1 to 255 characters, slashes and spaces included.

    Raises:
        InvalidKeyValue: it is empty, too long, or holds control characters.

    """
    try:
        return valid_name(key, kind="key")
    except InvalidName as error:
        raise InvalidKeyValue(str(error), hint=error.hint) from None


def valid_value(key: str, value: Any) -> Any:
    """Return the value, if it may be stored under the key.

    Raises:
        InvalidKeyValue: it is not JSON, or longer than 10,000 characters as JSON.

    """
    if (problem := json_problem(value)) is not None:
        raise InvalidKeyValue(
            f"The value of key {shortened(key)!r} cannot be stored: {problem}.",
            hint="Texts, numbers, true and false, null, lists, and objects whose keys are texts can be stored.",
        )
    length = len(json.dumps(value))
    if length > VALUE_CHARACTERS_MAX:
        raise InvalidKeyValue(
            f"The value of key {shortened(key)!r} has {length:,} characters as JSON; at most {VALUE_CHARACTERS_MAX:,} are allowed (10 KB).",
            hint="Keep large values elsewhere, as in a file or an object store, and store where they are.",
        )
    return value
