"""The public path of what is in `headwater.sdk.client.graphql`."""

from __future__ import annotations

from headwater.sdk.client.graphql import (
    EnumValue,
    GQLObject,
    GraphQLError,
    GraphQLResult,
    LiteralSetValue,
    compress,
    decompress,
    parse_graphql,
    parse_graphql_arguments,
    with_args,
)

__all__ = [
    "EnumValue",
    "GQLObject",
    "GraphQLError",
    "GraphQLResult",
    "LiteralSetValue",
    "compress",
    "decompress",
    "parse_graphql",
    "parse_graphql_arguments",
    "with_args",
]
