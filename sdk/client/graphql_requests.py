"""Operations sent to the server's GraphQL, over HTTP."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from headwater.core.errors import AuthenticationFailed, InvalidArgument, ViewsUnavailable
from headwater.sdk.client.graphql import GraphQLError, GraphQLResult, parse_graphql

TIMEOUT_SECONDS = 15.0


def ask(
    http_url: str, query: Any, variables: Mapping[str, Any] | None, headers: Mapping[str, str] | None, *, raise_on_error: bool
) -> GraphQLResult:
    """Send an operation and return the whole answer.

    Raises:
        GraphQLError: the answer holds errors, and `raise_on_error` is set.
        AuthenticationFailed: the server wants another key.
        ViewsUnavailable: no server answers at this address.

    """
    try:
        body = json.dumps({"query": parse_graphql(query), "variables": dict(variables or {})}).encode()
    except TypeError as error:
        raise InvalidArgument(
            f"The variables of a GraphQL operation are JSON values: {error}.", hint="Write moments and ids as texts."
        ) from None
    request = urllib.request.Request(  # noqa: S310 - the address is the server's own
        http_url, body, {"Content-Type": "application/json", **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        if error.code == HTTPStatus.UNAUTHORIZED:
            raise AuthenticationFailed(http_url, sent=request.has_header("Authorization")) from None
        answer = _refusal(error)
    except (OSError, ValueError) as error:
        raise ViewsUnavailable(f"no server answers GraphQL at {http_url} ({getattr(error, 'reason', error)}).") from error
    result: GraphQLResult = GraphQLResult.of(answer)
    if raise_on_error and result.get("errors"):
        raise GraphQLError(str(each.get("message", each)) for each in result["errors"])
    return result


def _refusal(error: urllib.error.HTTPError) -> Any:
    """Return what the server says about an operation it does not take, in the form of an answer."""
    text = error.read().decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    return (
        answer if isinstance(answer, dict) and answer.get("errors") else {"errors": [{"message": f"{error.code} {error.reason}: {text}"}]}
    )
