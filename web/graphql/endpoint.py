"""GraphQL over HTTP and, for subscriptions, over a WebSocket; and a page to try it on."""

from __future__ import annotations

import json
from typing import Any, cast

import anyio
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import GraphQLHTTPResponse
from strawberry.types import ExecutionResult

from headwater.core.aggregates import Author
from headwater.core.errors import InvalidArgument
from headwater.web.graphql.context import Operation
from headwater.web.graphql.schema import schema, told
from headwater.web.page_requests import page_context
from headwater.web.pages.page import Page
from headwater.web.rendering import render
from headwater.web.safety import BodyTooLarge
from headwater.web.site import Site

BODY_BYTES_MAX = 5 * 1024 * 1024
OPERATION_SECONDS_MAX = 30.0
SUBSCRIPTIONS_MAX = 50
"""How many subscriptions one connection may hold."""


class Unreadable(InvalidArgument):
    """A request to GraphQL is not one."""


async def answer_graphql(request: Request) -> Response:
    """Execute one operation. What is wrong with the operation is told in `errors`, with status 200."""
    try:
        query, variables, name = _asked(await _body(request), request.headers.get("content-type", ""))
    except (Unreadable, BodyTooLarge) as error:
        return JSONResponse({"errors": [{"message": str(error)}]}, status_code=413 if isinstance(error, BodyTooLarge) else 400)
    try:
        with anyio.fail_after(OPERATION_SECONDS_MAX):
            result = await schema().execute(query, variable_values=variables, context_value=_operation(request), operation_name=name)
    except TimeoutError:
        return _refused(f"The operation took longer than {OPERATION_SECONDS_MAX:.0f} s; ask for less at once.")
    except RecursionError:
        return _refused("The operation is nested too deeply.")
    return JSONResponse(_answer(result))


def _refused(message: str) -> Response:
    return JSONResponse({"data": None, "errors": [{"message": message}]})


def _answer(result: ExecutionResult) -> dict[str, Any]:
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [told(error) for error in result.errors]
    return answer


async def _body(request: Request) -> bytes:
    """Return the body.

    Raises:
        BodyTooLarge: it has more than 5 MB.

    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            raise BodyTooLarge(f"The request has more than {BODY_BYTES_MAX} bytes.")
    return bytes(body)


def _asked(body: bytes, content_type: str) -> tuple[str, dict[str, Any] | None, str | None]:
    """Return the query, its variables and the operation's name.

    Raises:
        Unreadable: the body does not hold them.

    """
    # A page of another site cannot send this type without asking us first, and we answer no such question.
    if content_type.partition(";")[0].strip().lower() not in {"application/json", "application/graphql+json"}:
        raise Unreadable("Send the operation as JSON, with content-type application/json.")
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"The body is not JSON: {error}") from error
    if not isinstance(asked, dict) or not isinstance(asked.get("query"), str):
        raise Unreadable("The body is no object with the operation as a text under `query`.")
    variables = asked.get("variables")
    if isinstance(variables, str):  # as old clients send it
        try:
            variables = json.loads(variables) if variables.strip() else None
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"The variables are not JSON: {error}") from error
    if variables is not None and not isinstance(variables, dict):
        raise Unreadable("The variables are no object.")
    name = asked.get("operationName")
    if name is not None and not isinstance(name, str):
        raise Unreadable("The operation's name is no text.")
    return asked["query"], variables, name or None


def _operation(connection: HTTPConnection) -> Operation:
    site: Site = connection.app.state.site
    return Operation(site, Author(f"graphql:{connection.client.host if connection.client else 'unknown'}"))


class _Subscriptions(GraphQL[Operation, None]):
    """Subscriptions over a WebSocket, by the protocol graphql-transport-ws."""

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Operation:  # noqa: ARG002
        return _operation(request)

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:  # noqa: ARG002
        return cast("GraphQLHTTPResponse", _answer(result))


def subscriptions() -> _Subscriptions:
    """Return the application that serves the WebSocket."""
    return _Subscriptions(
        schema(), graphql_ide=None, subscription_protocols=["graphql-transport-ws"], max_subscriptions_per_connection=SUBSCRIPTIONS_MAX
    )


async def send_explorer(request: Request) -> Response:
    """Send the page on which operations can be tried, with the schema beside it."""
    page = Page(template="graphql.html", title="GraphQL", context={"schema": schema().as_str()})
    return HTMLResponse(render(page.template, page_context(request, page)))
