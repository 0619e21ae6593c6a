"""GraphQL operations written as Python values, and the answers to them.

    {"query": {with_args("flow", {"where": {"name": {"_eq": "etl"}}}): {"id", "version"}}}

is the text `query { flow(where: { name: { _eq: "etl" } }) { id version } }`.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, KeysView, Mapping, ValuesView
from textwrap import dedent, indent
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

    def __eq__(self, other: object) -> bool:
        return self.value == other.value if isinstance(other, EnumValue) else NotImplemented

    def __hash__(self) -> int:
        return hash((EnumValue, self.value))


class GraphQLResult(dict[str, Any]):
    """An answer: keys are attributes as well, at every depth."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"The answer has no {name!r}; it has {sorted(self)}.") from None

    def __repr__(self) -> str:
        try:
            return json.dumps(self, indent=4)
        except (TypeError, ValueError):
            return super().__repr__()

    @classmethod
    def of(cls, value: Any) -> Any:
        """Return the value with every object in it as such a result."""
        if isinstance(value, Mapping):
            return cls({key: cls.of(each) for key, each in value.items()})
        return [cls.of(each) for each in value] if isinstance(value, list) else value


class GQLObject:
    """A field of a query as an object, whose attributes are the fields in it.

        class Account(GQLObject):
            id = "id"

        {"query": {Account("accounts")({"where": {"id": 5}}): [Account.id]}}

    Without a name it has that of its class, beginning in lower case.
    """

    def __init__(self, name: str | None = None, _arguments: Any = None) -> None:
        kind = type(self).__name__
        self._name = name or kind[:1].lower() + kind[1:]
        self._arguments = _arguments

    def __call__(self, arguments: Any) -> GQLObject:
        """Return the field with arguments, which are text or as `parse_graphql_arguments` takes them."""
        return type(self)(self._name, arguments)

    def __str__(self) -> str:
        return self._name if self._arguments is None else with_args(self._name, self._arguments)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"


def with_args(field: Any, arguments: Any) -> str:
    """Return a field with its arguments, for use as a key."""
    return f"{parse_graphql(field)}({arguments if isinstance(arguments, str) else parse_graphql_arguments(arguments)})"


def parse_graphql(document: Any) -> str:
    """Return an operation as text. Fields are the keys of dicts, the elements of sets and lists, and texts.

    A key whose value is True or `...` is a field without others in it.

    Raises:
        InvalidArgument: it holds what is none of these.

    """
    if isinstance(document, str):
        return dedent(document).strip()
    if isinstance(document, EnumValue | GQLObject):
        return str(document)
    if isinstance(document, Mapping):
        return "\n".join(
            parse_graphql(field) if inner is True or inner is ... else f"{parse_graphql(field)} {{\n{_indented(parse_graphql(inner))}\n}}"
            for field, inner in document.items()
        )
    if isinstance(document, set | frozenset):
        return "\n".join(sorted(parse_graphql(each) for each in document))
    if isinstance(document, Iterable):
        return "\n".join(parse_graphql(each) for each in document)
    raise InvalidArgument(f"{document!r} is not part of a GraphQL operation.", hint="Use texts, sets and lists of them, and dicts.")


def _indented(text: str) -> str:
    return indent(text, "    ")


def parse_graphql_arguments(arguments: Any) -> str:
    """Return arguments as text: as JSON, but with bare keys, and enums without quotes."""
    if isinstance(arguments, Mapping):
        return ", ".join(f"{key}: {_value(value)}" for key, value in arguments.items())
    return _value(arguments)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {parse_graphql_arguments(value)} }}" if value else "{}"
    if isinstance(value, list | tuple | set | frozenset | KeysView | ValuesView):
        return f"[{', '.join(_value(each) for each in value)}]"
    if isinstance(value, EnumValue):
        return value.value
    return json.dumps(value, default=str)


def LiteralSetValue(value: Iterable[str]) -> str:  # noqa: N802 - the name people know
    """Return texts as the text of a set in PostgreSQL: `{a, b}`."""
    return f"{{{', '.join(value)}}}"


def compress(input: Any) -> str:  # noqa: A002 - the name people know
    """Return a JSON value as text that is shorter: its JSON, compressed by gzip, in base 64."""
    return base64.b64encode(gzip.compress(json.dumps(input).encode())).decode()


def decompress(string: str) -> Any:
    """Return the value that `compress` was given. A short text may become a very long value: decompress what you trust."""
    return json.loads(gzip.decompress(base64.b64decode(string)))
