"""What comes over a WebSocket, checked before the library sees it: messages of graphql-transport-ws, and operations that are there."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from graphql import GraphQLError, get_operation_ast, parse
from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter

from headwater.core.values.plain_values import NotPlain, decoded
from headwater.web.graphql.limits import TOKENS_MAX

_WRONG_MESSAGE = 4400
_REASON_BYTES_MAX = 120


class WrongMessage(Exception):
    """What came is not a message of the protocol; the words say why."""


class CheckedMessages(ASGIWebSocketAdapter):
    """Hands on messages that are right; answers an operation that cannot be, and ends the connection on anything else."""

    async def iter_json(self, *, ignore_parsing_errors: bool = False) -> AsyncGenerator[object, None]:
        del ignore_parsing_errors
        while self.ws.application_state != WebSocketState.DISCONNECTED:
            try:
                received = await self.ws.receive()
                self.ws._raise_on_disconnect(received)  # noqa: SLF001 - as `receive_text` does
                message = message_in(received.get("text"))
            except WebSocketDisconnect:
                return
            except WrongMessage as wrong:
                await self.close(_WRONG_MESSAGE, str(wrong).encode()[:_REASON_BYTES_MAX].decode(errors="ignore"))
                return
            if message["type"] == "subscribe" and (problem := problem_of_operation(message["payload"])) is not None:
                await self.send_json({"type": "error", "id": message["id"], "payload": [{"message": problem}]})
            else:
                yield message


def message_in(text: str | None) -> dict[str, Any]:
    """Return the message in the text.

    Raises:
        WrongMessage: it is none.

    """
    if text is None:
        raise WrongMessage("Messages are texts.")
    try:
        message = decoded(text)
    except NotPlain as error:
        raise WrongMessage(f"The message is not JSON: {error}.") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise WrongMessage("A message is an object with its type.")
    if message["type"] in {"subscribe", "complete"} and not isinstance(message.get("id"), str):
        raise WrongMessage("The id of an operation is a text.")
    if message["type"] == "subscribe" and not isinstance(message.get("payload"), dict):
        raise WrongMessage("The payload of an operation is an object.")
    return message


def problem_of_operation(payload: dict[str, Any]) -> str | None:
    """Return why nothing can be executed of what was sent, None where that is for the schema to say."""
    query, name = payload.get("query"), payload.get("operationName")
    if not isinstance(query, str) or not query.strip():
        return "There is no operation as a text under `query`."
    if name is not None and not isinstance(name, str):
        return "The operation's name is not a text."
    for field in ("variables", "extensions"):
        if payload.get(field) is not None and not isinstance(payload[field], dict):
            return f"The {field} are not an object."
    try:
        document = parse(query, max_tokens=TOKENS_MAX)
    except GraphQLError as error:
        return error.message
    except RecursionError:
        return "The operation is nested too deeply."
    return None if get_operation_ast(document, name) is not None else "There is no such operation among what was sent under `query`."
