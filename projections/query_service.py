"""The query service: answers questions that come over the log's connection, so that only the server needs the database."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import asyncpg
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.errors import (
    CommandRejected,
    CommitUnreadable,
    HeadwaterError,
    InvalidArgument,
    LogError,
    NotFound,
    ViewsBehind,
    ViewsUnavailable,
)
from headwater.core.hint_codec import encode_hint
from headwater.core.hints import Hint
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.commit import Position
from headwater.core.log.protocol import LiveMessage, Log
from headwater.core.queries import (
    DEAD_LETTERS_MAX,
    FailureKind,
    GetDeadLetter,
    GetViewsStatus,
    ListDeadLetters,
    ListLogs,
    LogLinesAnnouncement,
    QueryFailure,
    QueryReply,
    QueryRequest,
    RetryDeadLetter,
    Row,
    StartRebuild,
    ViewsAnnouncement,
)
from headwater.core.text import escaped
from headwater.projections.database import DATABASE_ERRORS, USUAL_TIMES, DatabaseTimes, in_words
from headwater.projections.dead_letters import DeadLetterDesk
from headwater.projections.health import Health
from headwater.projections.positions import Positions, What
from headwater.projections.reader import NotCaughtUp, ViewsReader, open_reader
from headwater.projections.rebuilder import Rebuilder
from headwater.projections.status import views_status

logger = logging.getLogger("headwater.projections")

ANSWERS_AT_ONCE_MAX = 512
WAIT_SECONDS_MAX = 60.0
GROUP = "views"
"""Of the servers that answer, one gets each question."""

_decode_request = message_decoder(QueryRequest)
_encode = msgspec.json.Encoder().encode
_ANNOUNCEMENTS: dict[str, tuple[What, Callable[[bytes], Any]]] = {
    subjects.VIEWS_POSITION: (What.VIEWS, message_decoder(ViewsAnnouncement)),
    subjects.LOG_LINES_POSITION: (What.LOG_LINES, message_decoder(LogLinesAnnouncement)),
}


@dataclass
class QueryService:
    """A service: answers every question it gets, with rows or with the reason why not. Garbage gets an answer too."""

    log: Log
    database_url: str
    rebuilder: Rebuilder
    health: tuple[Health, ...] = ()
    positions: Positions = field(default_factory=Positions)
    times: DatabaseTimes = USUAL_TIMES
    _answering: int = 0
    _being_answered: set[str] = field(default_factory=set)
    _reader: ViewsReader | None = None

    async def position_or_problem(self) -> Position | str:
        """Return the position that the views of this server show; or what keeps them from it, as a sentence."""
        problem = next((each.problem for each in self.health if each.problem is not None), None)
        if problem is not None:
            return problem
        if self._reader is None:
            return "The query service of this server is not running."
        try:
            async with self._reader.snapshot() as (_, position):
                return position
        except ViewsUnavailable as error:
            return f"The views cannot be read: {error.reason}"
        except DATABASE_ERRORS as error:
            return in_words(error)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        async with open_reader(self.database_url, self.times) as reader, anyio.create_task_group() as group:
            self._reader = reader
            for subject in _ANNOUNCEMENTS:
                await group.start(self._hear, subject)
            group.start_soon(self._keep_identity, reader)
            await group.start(self._serve_questions, subjects.QUERIES, GROUP, reader, group)
            await group.start(self._serve_questions, subjects.QUERIES_OF_EVERY_SERVER, "", reader, group)
            task_status.started()

    async def _serve_questions(
        self, subject: str, among: str, reader: ViewsReader, group: TaskGroup, *, task_status: TaskStatus[None]
    ) -> None:
        async with self.log.subscribe(subject, group=among) as questions:
            task_status.started()
            async for question in questions:
                if self._answering < ANSWERS_AT_ONCE_MAX:
                    self._answering += 1
                    group.start_soon(self._answer, reader, question)
                else:
                    await self._respond(question, _failed(ViewsUnavailable("too many questions are being answered; ask again.")))

    async def _hear(self, subject: str, *, task_status: TaskStatus[None]) -> None:
        what, decode = _ANNOUNCEMENTS[subject]
        async with self.log.subscribe(subject) as announcements:
            task_status.started()
            async for announcement in announcements:
                try:
                    position = decode(announcement.data).position
                except CommitUnreadable as error:
                    logger.debug("An announcement on %s cannot be read: %s", subject, error)
                else:
                    self.positions.announced(what, position)

    async def _keep_identity(self, reader: ViewsReader) -> None:
        """Know which log's views may be shown, also after another log came to answer at this address."""
        looked = Health("The query service")
        came_back = anyio.Event()

        def note() -> None:
            came_back.set()

        forget = self.log.on_reconnect(note)
        try:
            while True:
                try:
                    reader.log_identity = (await self.log.events.tail()).identity
                except LogError as error:
                    looked.failing(str(error))
                    await looked.wait_before_retry()
                    continue
                looked.healthy()
                await came_back.wait()
                came_back = anyio.Event()
        finally:
            forget()

    async def _answer(self, reader: ViewsReader, question: LiveMessage) -> None:
        try:
            try:
                request = _decode_request(question.data)
            except CommitUnreadable as error:
                hint = "The server may be older than the program that asks: `headwater version` tells both."
                reply = _failed(InvalidArgument(f"This is not a question that this server understands: {error.reason}", hint=hint))
            else:
                if request.id and request.id in self._being_answered:
                    return
                reply = await self._reply_once(reader, request)
            await self._respond(question, reply)
        except Exception:
            logger.exception("A question could not be answered")
        finally:
            self._answering -= 1

    async def _reply_once(self, reader: ViewsReader, request: QueryRequest) -> QueryReply:
        """Answer; the same question to all servers, because an answer took long, is passed over meanwhile."""
        self._being_answered.add(request.id)
        try:
            return await self._reply(reader, request)
        finally:
            self._being_answered.discard(request.id)

    async def _reply(self, reader: ViewsReader, request: QueryRequest) -> QueryReply:
        try:
            match request.query:
                case GetViewsStatus():
                    return _one_row(await views_status(self.log, reader, self.rebuilder, self.health, request.query.set_aside_limit))
                case StartRebuild():
                    return _one_row(await self.rebuilder.start())
                case ListDeadLetters() | GetDeadLetter() | RetryDeadLetter():
                    return await self._dead_letters(reader, request.query)
                case _:
                    return await self._page(reader, request)
        except HeadwaterError as error:
            return _failed(error)
        except asyncpg.QueryCanceledError:
            return _failed(ViewsUnavailable("the answer took too long; ask for less at once."))
        except DATABASE_ERRORS as error:
            return _failed(ViewsUnavailable(in_words(error)))
        except Exception as error:
            logger.exception("The question %r could not be answered", request.query)
            return _failed(error)

    async def _dead_letters(self, reader: ViewsReader, query: ListDeadLetters | GetDeadLetter | RetryDeadLetter) -> QueryReply:
        desk = DeadLetterDesk(self.log, reader, self.database_url, self.rebuilder)
        match query:
            case ListDeadLetters():
                return QueryReply(0, msgspec.Raw(_encode(await desk.rows(query.source, min(query.limit, DEAD_LETTERS_MAX)))))
            case GetDeadLetter():
                return _one_row(await desk.detail(query.key))
            case RetryDeadLetter():
                return _one_row(await desk.retry(query.key))

    async def _page(self, reader: ViewsReader, request: QueryRequest) -> QueryReply:
        """Answer as soon as the views have reached the position asked for."""
        what = What.LOG_LINES if isinstance(request.query, ListLogs) else What.VIEWS
        deadline = anyio.current_time() + min(max(request.wait_seconds, 0.0), WAIT_SECONDS_MAX)
        while True:
            announcements = self.positions.announcements(what)
            try:
                return await reader.page(request.query, at_least=request.at_least, cursor=request.cursor, page_rows=request.page_rows)
            except NotCaughtUp as behind:
                reached = behind.reached
                self.positions.found(what, reached, announcements=announcements)
            if not await self.positions.wait_for(what, request.at_least, deadline=deadline):
                raise ViewsBehind(asked=request.at_least, reached=reached)

    async def _respond(self, question: LiveMessage, reply: QueryReply) -> None:
        try:
            await question.respond(_encode(reply))
        except LogError as error:
            logger.debug("An answer could not be sent: %s", error)


def _one_row(row: Row, position: Position = 0) -> QueryReply:
    return QueryReply(position, msgspec.Raw(_encode([row])))


def _failed(error: Exception) -> QueryReply:
    """Return the reply that makes the client raise this error."""
    hint, advice = (error.hint, error.advice) if isinstance(error, HeadwaterError) else (None, None)
    encoded = encode_hint(advice) if isinstance(advice, Hint) else None
    match error:
        case NotFound():
            failure = QueryFailure(FailureKind.NOT_FOUND, str(error), hint, {"kind": error.kind, "name": error.name}, advice=encoded)
        case ViewsBehind():
            failure = QueryFailure(FailureKind.BEHIND, str(error), hint, {"asked": error.asked, "reached": error.reached}, advice=encoded)
        case ViewsUnavailable():
            failure = QueryFailure(FailureKind.UNAVAILABLE, error.reason, hint, advice=encoded)
        case CommandRejected():
            failure = QueryFailure(FailureKind.INVALID, str(error), hint, advice=encoded)
        case _:
            failure = QueryFailure(FailureKind.BROKEN, escaped(f"the server failed to answer ({type(error).__name__}: {error})"))
    return QueryReply(0, error=failure)
