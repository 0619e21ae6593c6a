"""GraphQL over HTTP and, for subscriptions, over a WebSocket; and a page to try it on."""

from __future__ import annotations

from typing import Any, cast

import anyio
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult

from headwater.core.aggregates import Actor
from headwater.core.errors import InvalidArgument
from headwater.core.values.plain_values import NotPlain, decoded, shortened
from headwater.web.app_state import AppState
from headwater.web.graphql.context import Operation
from headwater.web.graphql.messages import CheckedMessages
from headwater.web.graphql.schema import schema, told
from headwater.web.page_requests import page_context
from headwater.web.pages.page import Page
from headwater.web.rendering import render
from headwater.web.request_checks import BodyTooLarge

BODY_BYTES_MAX = 5 * 1024 * 1024
OPERATION_SECONDS_MAX = 30.0
SUBSCRIPTIONS_MAX = 50
"""How many subscriptions one connection may hold."""


class UnreadableRequest(InvalidArgument):
    """A request to GraphQL is not one."""


async def answer_graphql(request: Request) -> Response:
    """Execute one operation. What is wrong with the operation is in `errors`, with status 200."""
    try:
        query, variables, name = _asked(await _body(request), request.headers.get("content-type", ""))
    except (UnreadableRequest, BodyTooLarge) as error:
        return JSONResponse({"errors": [{"message": str(error)}]}, status_code=413 if isinstance(error, BodyTooLarge) else 400)
    try:
        with anyio.fail_after(OPERATION_SECONDS_MAX):
            result = await schema().execute(query, variable_values=variables, context_value=_operation(request), operation_name=name)
    except TimeoutError:
        return _refused(f"The operation took longer than {OPERATION_SECONDS_MAX:.0f} s; ask for less at once.")
    except RecursionError:
        return _refused("The operation is nested too deeply.")
    except (MissingQueryError, CannotGetOperationTypeError):
        named = "" if name is None else f" named {shortened(name)!r}"
        return _refused(f"There is no operation{named} among what was sent under `query`.", status=400)
    except InvalidOperationTypeError:
        return _refused("Subscriptions are served over a WebSocket at this address, by the protocol graphql-transport-ws.", status=400)
    return JSONResponse(_answer(result))


def _refused(message: str, *, status: int = 200) -> Response:
    return JSONResponse({"data": None, "errors": [{"message": message}]}, status_code=status)


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
        UnreadableRequest: the body does not hold them.

    """
    # A page of another site cannot send this type without asking us first, and we answer no such question.
    if content_type.partition(";")[0].strip().lower() not in {"application/json", "application/graphql+json"}:
        raise UnreadableRequest("Send the operation as JSON, with content-type application/json.")
    asked = _decoded(body, "The body")
    if not isinstance(asked, dict) or not isinstance(asked.get("query"), str) or not asked["query"].strip():
        raise UnreadableRequest("The body is not an object with the operation as a text under `query`.")
    variables = asked.get("variables")
    if isinstance(variables, str):  # as old clients send it
        variables = _decoded(variables, "What was given as variables") if variables.strip() else None
    if variables is not None and not isinstance(variables, dict):
        raise UnreadableRequest("The variables are not an object.")
    name = asked.get("operationName")
    if name is not None and not isinstance(name, str):
        raise UnreadableRequest("The operation's name is not a text.")
    return asked["query"], variables, name or None


def _decoded(text: str | bytes, what: str) -> Any:
    try:
        return decoded(text)
    except NotPlain as error:
        raise UnreadableRequest(f"{what} is not JSON: {error}.") from error


def _operation(connection: HTTPConnection) -> Operation:
    site: AppState = connection.app.state.site
    return Operation(site, Actor(f"graphql:{connection.client.host if connection.client else 'unknown'}"))


class _Subscriptions(GraphQL[Operation, None]):
    """Subscriptions over a WebSocket, by the protocol graphql-transport-ws."""

    websocket_adapter_class = CheckedMessages

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
