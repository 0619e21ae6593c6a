"""GraphQL operations written as Python values, and the answers to them.

    {"query": {with_args("flow", {"where": {"name": {"_eq": "etl"}}}): {"id", "version"}}}

is the text `query { flow(where: { name: { _eq: "etl" } }) { id version } }`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from headwater.core.errors import HeadwaterError, InvalidArgument


class GraphQLError(HeadwaterError, ValueError):
    """The server refused an operation, or parts of it. `errors` are its own words, one for each."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__(f"GraphQL: {'; '.join(self.errors)}", hint="The page GraphQL of the UI shows the schema.")


class EnumValue:
    """A value that stands in an operation as it is, without quotes: `EnumValue("desc")`."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __repr__(self) -> str:
        return self.value


class GraphQLResult(dict[str, Any]):
    """An answer: keys are attributes as well, at every depth."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"The answer has no {name!r}; it has {sorted(self)}.") from None

    @classmethod
    def of(cls, value: Any) -> Any:
        """Return the value with every object in it as such a result."""
        if isinstance(value, Mapping):
            return cls({key: cls.of(each) for key, each in value.items()})
        return [cls.of(each) for each in value] if isinstance(value, list) else value


def with_args(field: Any, arguments: Mapping[str, Any]) -> str:
    """Return a field with its arguments, for use as a key."""
    return f"{parse_graphql(field)}({parse_graphql_arguments(arguments)})"


def parse_graphql(document: Any) -> str:
    """Return an operation as text. Fields are the keys of dicts, the elements of sets and lists, and texts.

    Raises:
        InvalidArgument: it holds what is none of these.

    """
    if isinstance(document, str):
        return document.strip()
    if isinstance(document, EnumValue):
        return document.value
    if isinstance(document, Mapping):
        return " ".join(
            parse_graphql(field) if inner is True else f"{parse_graphql(field)} {{ {parse_graphql(inner)} }}"
            for field, inner in document.items()
        )
    if isinstance(document, set | frozenset):
        return " ".join(sorted(parse_graphql(each) for each in document))
    if isinstance(document, Iterable):
        return " ".join(parse_graphql(each) for each in document)
    raise InvalidArgument(f"{document!r} is no part of a GraphQL operation.", hint="Use texts, sets and lists of them, and dicts.")


def parse_graphql_arguments(arguments: Any) -> str:
    """Return arguments as text: as JSON, but with bare keys, and enums without quotes."""
    if isinstance(arguments, Mapping):
        return ", ".join(f"{key}: {_value(value)}" for key, value in arguments.items())
    return _value(arguments)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {parse_graphql_arguments(value)} }}" if value else "{}"
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, EnumValue):
        return value.value
    return json.dumps(value, default=str)
