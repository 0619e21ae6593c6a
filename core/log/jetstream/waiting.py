"""Which runs have a wake-up in the broker, and how it is noticed that all wake-ups may be gone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
from nats.aio.msg import Msg

from headwater.core.errors import CommitUnreadable
from headwater.core.log import subjects
from headwater.core.log.jetstream import codec
from headwater.core.log.jetstream.api import ApiRefusal, ask_api
from headwater.core.log.jetstream.codec import WORK, ApiAnswer
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.streams import ensure_work
from headwater.core.log.mailbox import Mailbox
from headwater.core.log.work_item import decode_item

_MADE_ANEW = f"$JS.EVENT.ADVISORY.STREAM.CREATED.{WORK}"
_DELETED = f"$JS.EVENT.ADVISORY.STREAM.DELETED.{WORK}"


class _Subjects(msgspec.Struct, frozen=True):
    subjects: dict[str, int] | None = None


class _SubjectsAnswer(ApiAnswer, frozen=True):
    """One page of the subjects on which the stream holds messages."""

    state: _Subjects = _Subjects()
    total: int = 0


class _MessageAnswer(ApiAnswer, frozen=True):
    message: codec.StoredMessage | None = None


async def is_waiting(connection: Connection, run_id: str, generation: int) -> bool:
    """Tell whether the run has an item or a timer that still means something; see `RunQueues.is_waiting`."""
    for wanted in (subjects.scheduled_of_run(run_id), subjects.timers_of(run_id)):
        try:
            answer = await ask_api(connection, f"STREAM.MSG.GET.{WORK}", {"last_by_subj": wanted}, _MessageAnswer)
        except ApiRefusal as refusal:
            if refusal.not_found:
                continue
            raise
        if answer.message is not None and _generation(answer.message.data) >= generation:
            return True
    return False


def _generation(data: bytes) -> int:
    """Return the generation of the item in these bytes; one that nothing waits for where they hold none."""
    try:
        return decode_item(data).generation
    except CommitUnreadable:
        return -1  # a dead letter wakes no agent


class _ConsumerAnswer(ApiAnswer, frozen=True):
    num_pending: int = 0


async def undelivered(connection: Connection, queue_id: str) -> int:
    """Return how many items of the queue wait for someone to ask; see `RunQueues.undelivered`."""
    try:
        return (await ask_api(connection, f"CONSUMER.INFO.{WORK}.{queue_id}", None, _ConsumerAnswer)).num_pending
    except ApiRefusal as refusal:
        if refusal.not_found:
            return 0
        raise


async def waiting_runs(connection: Connection) -> set[str]:
    """Return all runs that have an item or a timer; see `RunQueues.waiting_runs`."""
    await ensure_work(connection)
    found: set[str] = set()
    seen = 0
    while True:
        question = {"subjects_filter": ">", "offset": seen}
        answer = await ask_api(connection, f"STREAM.INFO.{WORK}", question, _SubjectsAnswer)
        page = answer.state.subjects or {}
        found.update(run_id for subject in page if (run_id := subjects.run_of_wake_up(subject)) is not None)
        seen += len(page)
        if not page or seen >= answer.total:
            return found


class _Losses:
    def __init__(self, news: Mailbox[None]) -> None:
        self._news = news

    def __aiter__(self) -> _Losses:
        return self

    async def __anext__(self) -> None:
        await self._news.take()
        self._news.take_now()


@asynccontextmanager
async def listen_for_losses(connection: Connection) -> AsyncIterator[AsyncIterator[None]]:
    """Tell of every moment at which the stream may have been lost; see `RunQueues.losses`."""
    news: Mailbox[None] = Mailbox(limit=1)

    async def told(_: Msg) -> None:
        news.put(None)

    async with AsyncExitStack() as stack:
        for advisory in (_MADE_ANEW, _DELETED):
            subscription = await connection.subscribe(advisory, told)
            stack.push_async_callback(connection.unsubscribe, subscription)
        stack.callback(connection.on_reconnect(lambda: news.put(None)))
        stack.callback(connection.on_close(news.fail))
        await connection.flush()
        yield _Losses(news)
