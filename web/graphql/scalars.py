"""Scalars: ids, and values of any shape."""

from __future__ import annotations

from typing import Any, NewType

import strawberry
from strawberry.schema.config import StrawberryConfig

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import parsed_uuid
from headwater.core.values.plain_values import NotJson, NotPlain, decoded

Identifier = NewType("Identifier", str)
"""The id of something: a UUID as text."""

Json = NewType("Json", object)
"""Any value; where a text is given that is JSON, what it says."""


PlainJson = NewType("PlainJson", object)
"""Any value as it is: a text stays a text, also where it holds JSON."""


def _parsed_identifier(value: Any) -> str:
    return str(parsed_uuid(value, kind="valid id"))


def _parsed_json(value: Any) -> Any:
    """Return the value; old clients send JSON inside of a text."""
    if not isinstance(value, str):
        return value
    try:
        return decoded(value)
    except NotJson:
        return value
    except NotPlain as error:
        raise InvalidArgument(f"The JSON cannot be taken: {error}.") from error


def schema_config() -> StrawberryConfig:
    """Return the configuration of the schema: names as they are written here, and our scalars."""
    return StrawberryConfig(
        auto_camel_case=False,
        scalar_map={
            Identifier: strawberry.scalar(name="UUID", serialize=str, parse_value=_parsed_identifier),
            Json: strawberry.scalar(name="JSON", serialize=lambda value: value, parse_value=_parsed_json),
            PlainJson: strawberry.scalar(name="PlainJSON", serialize=lambda value: value, parse_value=lambda value: value),
        },
    )
