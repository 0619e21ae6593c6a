"""How this server fares: its log, its views and its parts, asked side by side, and answered within two seconds whatever hangs."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio
import msgspec
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.errors import HeadwaterError, LogError
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.health import LAG_MAX, UNANSWERED, LogHealth, ServerHealth
from headwater.core.log.protocol import LiveMessage, Log
from headwater.core.program.service_keeper import Parts
from headwater.projections.query_service import QueryService
from headwater.server.nats.log_watch import LogWatch

logger = logging.getLogger(__name__)

ANSWER_SECONDS = 1.5
"""What has not told by then how it fares counts as away."""

_SILENT = LogHealth(problem="its NATS server does not answer")
_encode = msgspec.json.Encoder().encode
T = TypeVar("T")


@dataclass
class Inquiry(Generic[T]):
    """A question to something that may hang: asked once at a time, however many want to know; its asker need not wait for the answer."""

    ask: Callable[[], Awaitable[T]]
    _answered: anyio.Event | None = None
    _answer: T | None = None

    async def answer(self, group: TaskGroup, seconds: float) -> T | None:
        """Return the answer; None where none came in time."""
        if self._answered is None:
            self._answered = anyio.Event()
            group.start_soon(self._run, self._answered)
        answered = self._answered
        with anyio.move_on_after(seconds):
            await answered.wait()
        return self._answer if answered.is_set() else None

    async def _run(self, answered: anyio.Event) -> None:
        try:
            self._answer = await self.ask()
        finally:
            self._answered = None
            answered.set()


@dataclass
class OwnHealth:
    """A service: answers `hw.ask.health`, and callers in this process, for this server and no other."""

    log: Log
    watch: LogWatch
    queries: QueryService
    parts: Parts
    _group: TaskGroup | None = None
    _log_health: Inquiry[LogHealth] = field(init=False)
    _log_position: Inquiry[Position | str] = field(init=False)
    _views: Inquiry[Position | str] = field(init=False)

    def __post_init__(self) -> None:
        self._log_health = Inquiry(self.watch.look)
        self._log_position = Inquiry(self._ask_log)
        self._views = Inquiry(self.queries.position_or_problem)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Answer until cancelled."""
        async with anyio.create_task_group() as group, self.log.subscribe(subjects.SERVER_HEALTH) as questions:
            self._group = group
            try:
                task_status.started()
                async for question in questions:
                    group.start_soon(self._respond, question, group)
            finally:
                self._group = None

    async def look(self) -> ServerHealth:
        """Return how this server fares now. Takes two seconds at most."""
        problems = dict(self.parts.problems)
        group = self._group
        if group is None:
            return ServerHealth(problems={**problems, "health": "This server cannot tell how it fares just now."})
        found: dict[str, object] = {}

        async def ask(name: str, inquiry: Inquiry[T]) -> None:
            found[name] = await inquiry.answer(group, ANSWER_SECONDS)

        async with anyio.create_task_group() as asking:
            asking.start_soon(ask, "log", self._log_health)
            asking.start_soon(ask, "position", self._log_position)
            asking.start_soon(ask, "views", self._views)
        return judge(found["log"], found["position"], found["views"], problems=problems, parts=self.parts.running)  # type: ignore[arg-type]

    async def _ask_log(self) -> Position | str:
        try:
            return (await self.log.events.tail()).position
        except HeadwaterError as error:
            return str(error)

    async def _respond(self, question: LiveMessage, group: TaskGroup) -> None:
        if question.data == UNANSWERED:
            # Someone waits for nothing but why; the views may take longer to tell.
            self.watch.unanswered()
            health = ServerHealth(log=await self._log_health.answer(group, ANSWER_SECONDS) or _SILENT)
        else:
            health = await self.look()
        try:
            await question.respond(_encode(health))
        except LogError as error:
            logger.debug("An answer could not be sent: %s", error)


def judge(
    log: LogHealth | None,
    position: Position | str | None,
    views: Position | str | None,
    *,
    problems: dict[str, str],
    parts: dict[str, bool],
) -> ServerHealth:
    """Return how a server fares, by what it was told in time: None is what was not."""
    told = dict(problems)
    log = log or _SILENT
    if log.problem is not None:
        told["log"] = f"It takes no writes: {log.problem}."
    elif position is None:
        told["log"] = f"It did not answer within {ANSWER_SECONDS:g} s."
    elif isinstance(position, str):
        told["log"] = position
    if views is None:
        told["views"] = f"PostgreSQL did not answer within {ANSWER_SECONDS:g} s."
    elif isinstance(views, str):
        told["views"] = views
    log_position = position if isinstance(position, int) else None
    views_position = views if isinstance(views, int) else None
    health = ServerHealth(log=log, log_position=log_position, views_position=views_position, problems=told, parts=parts)
    if "views" not in told and health.lag is not None and health.lag > LAG_MAX:
        return msgspec.structs.replace(health, problems={**told, "views": f"They are {health.lag} commits behind the log."})
    return health
