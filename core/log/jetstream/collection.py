"""The many answers to one question."""

from __future__ import annotations

import asyncio

import anyio
from nats.aio.msg import Msg

from headwater.core.errors import NoAnswer
from headwater.core.log.jetstream import wire


class Collection:
    """The answers to one question, until a status message ends them."""

    def __init__(self) -> None:
        self.messages: list[Msg] = []
        self._end: Msg | None = None
        self._failure: Exception | None = None
        self._news = asyncio.Event()

    def take(self, message: Msg) -> None:
        if wire.status(message) is None:
            self.messages.append(message)
        else:
            self._end = message
        self._news.set()

    def fail(self, failure: Exception) -> None:
        self._failure = failure
        self._news.set()

    async def complete(self, subject: str, silence_seconds: float) -> Msg:
        while self._end is None:
            if self._failure is not None:
                raise NoAnswer(subject, "the connection broke", maybe_received=True)
            self._news.clear()
            with anyio.move_on_after(silence_seconds):
                await self._news.wait()
            if not self._news.is_set():
                raise NoAnswer(subject, f"the answer stopped for {silence_seconds:g} s", maybe_received=True)
        return self._end
