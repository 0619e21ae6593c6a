"""Collects the answers to a request: the first, or many. Anyone on the same NATS may write there; what cannot be read is passed over."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Generic, TypeVar

import anyio
from nats.aio.msg import Msg

from headwater.core.errors import RequestTimeout
from headwater.core.log.jetstream import codec

T = TypeVar("T")

_log = logging.getLogger(__name__)


class NobodyListens(Exception):
    """The broker says that no one got the question."""


class Question(Generic[T]):
    """One question, with what reads its answer: the first message that can be read, or the word that no one listens."""

    def __init__(self, read: Callable[[Msg], T]) -> None:
        self.answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._read = read

    def take(self, message: Msg) -> None:
        if self.answer.done():
            return
        if codec.status(message) == codec.NOBODY_LISTENS:
            self.answer.set_exception(NobodyListens())
            return
        try:
            self.answer.set_result(self._read(message))
        except Exception as error:  # noqa: BLE001 - bytes may make a decoder raise anything
            _log.debug("An answer on %s cannot be read, and is passed over: %s", message.subject, error)

    def fail(self, failure: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(failure)


class Collection(Generic[T]):
    """The answers to one question, each read, until a status message ends them."""

    def __init__(self, read: Callable[[Msg], T]) -> None:
        self.found: list[T] = []
        self._read = read
        self._end: codec.End | None = None
        self._failure: Exception | None = None
        self._news = asyncio.Event()

    def take(self, message: Msg) -> None:
        try:
            if codec.status(message) is None:
                self.found.append(self._read(message))
            else:
                self._end = codec.end(message)
        except Exception as error:  # noqa: BLE001 - bytes may make a decoder raise anything
            _log.debug("An answer on %s cannot be read, and is passed over: %s", message.subject, error)
            return
        self._news.set()

    def fail(self, failure: Exception) -> None:
        self._failure = failure
        self._news.set()

    async def complete(self, subject: str, silence_seconds: float) -> codec.End:
        while self._end is None:
            if self._failure is not None:
                raise RequestTimeout(subject, "the connection broke", maybe_received=True)
            self._news.clear()
            with anyio.move_on_after(silence_seconds):
                await self._news.wait()
            if not self._news.is_set():
                raise RequestTimeout(subject, f"the answer stopped for {silence_seconds:g} s", maybe_received=True)
        return self._end
