"""Messages that are stored nowhere, within one process."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import anyio.lowlevel

from headwater.core.errors import RequestTimeout
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.protocol import LiveMessage
from headwater.core.log.subjects import matches

_WAITING_MESSAGES_MAX = 65_536


@dataclass(eq=False)
class _Listener:
    pattern: str
    group: str
    heard: Mailbox[LiveMessage]

    def __aiter__(self) -> _Listener:
        return self

    async def __anext__(self) -> LiveMessage:
        await anyio.lowlevel.checkpoint()
        return await self.heard.take()


class MemoryLive:
    """Publishes, asks and listens in memory. The members of a group take turns."""

    def __init__(self) -> None:
        self._listeners: list[_Listener] = []
        self._turns = itertools.count()

    def publish(self, subject: str, data: bytes, answers: Mailbox[bytes] | None = None) -> bool:
        """Give the message to all who listen; return whether any do."""
        listeners = [listener for listener in self._listeners if matches(listener.pattern, subject)]
        alone = [listener for listener in listeners if not listener.group]
        for group in sorted({listener.group for listener in listeners if listener.group}):
            members = [listener for listener in listeners if listener.group == group]
            alone.append(members[next(self._turns) % len(members)])
        for listener in alone:
            listener.heard.put(_Heard(subject, data, answers))
        return bool(alone)

    async def request(self, subject: str, data: bytes, timeout: float) -> bytes:
        await anyio.lowlevel.checkpoint()
        answers: Mailbox[bytes] = Mailbox()
        if not self.publish(subject, data, answers):
            raise RequestTimeout(subject, "nothing listens there", maybe_received=False)
        if not await answers.wait(timeout):
            raise RequestTimeout(subject, f"none came in {timeout:g} s", maybe_received=True)
        return answers.take_first()

    @asynccontextmanager
    async def subscribe(self, subjects: str, group: str) -> AsyncIterator[AsyncIterator[LiveMessage]]:
        await anyio.lowlevel.checkpoint()
        listener = _Listener(subjects, group, Mailbox(limit=_WAITING_MESSAGES_MAX))
        self._listeners.append(listener)
        try:
            yield listener
        finally:
            self._listeners.remove(listener)


@dataclass(frozen=True)
class _Heard:
    subject: str
    data: bytes
    answers: Mailbox[bytes] | None

    async def respond(self, data: bytes) -> None:
        await anyio.lowlevel.checkpoint()
        if self.answers is not None:
            self.answers.put(data)
