"""Requests to JetStream's own API, repeated while a server restarts or a cluster elects."""

from __future__ import annotations

import time
from typing import Any, TypeVar

import anyio
import msgspec
from nats.aio.msg import Msg

from headwater.core.errors import LogError, RequestTimeout
from headwater.core.log.jetstream.codec import ApiAnswer, ApiError
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.majority import unavailable

FIRST_ANSWER_SECONDS = 0.75
"""How long each of the first tries waits. What is asked while there is no leader is never answered: soon asked again, soon found."""
ANSWER_SECONDS = 3.0
"""How long the later ones wait: a server under load may take its time, and each try is a new question to it."""
_SHORT_TRIES = 8
_NOT_FOUND = {10037, 10014, 10059}  # message, consumer, stream

T = TypeVar("T", bound="ApiAnswer")


class ApiRefusal(LogError):
    """JetStream refused a request; `error` says why."""

    def __init__(self, operation: str, error: ApiError) -> None:
        self.operation, self.error = operation, error
        super().__init__(f"The NATS server refused {'.'.join(operation.split('.')[:3])}: {error}.")

    @property
    def not_found(self) -> bool:
        return self.error.err_code in _NOT_FOUND


async def ask_api(connection: Connection, operation: str, question: Any, answer: type[T], *, seconds: float | None = None) -> T:
    """Send `question` to `$JS.API.<operation>` and return its answer.

    Only for operations that may be repeated.

    Raises:
        ApiRefusal: JetStream said no.
        LogUnavailable: no answer in `seconds` (None: as the connection waits); LogNotWritable where a majority of the cluster is missing.

    """
    data = b"" if question is None else msgspec.json.encode(question)

    def read(message: Msg) -> T:
        return msgspec.json.decode(message.data, type=answer)

    reason = ""
    backoff = Backoff(connection.times.call_seconds if seconds is None else seconds)
    while await backoff.lasts():
        try:
            result = await connection.ask(f"$JS.API.{operation}", data, read, timeout=backoff.answer_seconds())
        except RequestTimeout as error:
            reason = f"{operation}: {error.reason}"
            continue
        if result.error is None:
            return result
        if not result.error.passing:
            raise ApiRefusal(operation, result.error)
        reason = f"{operation}: {result.error}"
    raise await unavailable(connection, f"its JetStream does not answer; {reason}")


class Backoff:
    """How long something is repeated: `while await backoff.lasts()` goes on at once, then after pauses that grow, until it is over."""

    def __init__(self, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._pause = 0.0
        self._tries = 0

    @property
    def left(self) -> float:
        """The seconds left; a little more than nothing at the end, so that the last attempt has a chance."""
        return max(self._deadline - time.monotonic(), 0.1)

    def answer_seconds(self, most: float = ANSWER_SECONDS) -> float:
        """Return how long the next try is to wait for its answer: longer after some tries, and no longer than is left."""
        self._tries += 1
        seconds = FIRST_ANSWER_SECONDS if self._tries <= _SHORT_TRIES else ANSWER_SECONDS
        return min(seconds, most, self.left)

    async def lasts(self) -> bool:
        if not self._pause:
            self._pause = 0.01
            return True
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        await anyio.sleep(min(self._pause, left))
        self._pause = min(self._pause * 2, 0.5)
        return True
