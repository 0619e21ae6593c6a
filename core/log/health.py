"""The health of a server: whether its log takes writes, how far its views are, and which of its parts are away."""

from __future__ import annotations

from typing import Protocol

import msgspec

from headwater.core.errors import LogError
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.commit import Position

ANSWER_SECONDS = 2.0
"""A server answers within so long, whatever hangs below it."""

LAG_MAX = 10_000
"""How many commits the views may be behind the log of a ready server."""

UNANSWERED = b"unanswered"
"""What is sent with the question by someone whose append was not answered: the server then looks at once."""


class LogHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the log takes writes, as far as can be told without writing. `problem` is why not, None where nothing speaks against it.

    `full` says that there is no room. `refusing` names the streams whose storage has failed: of what was sent there and not answered,
    nothing is stored and nothing will be.
    `free_bytes` is what is free where the log is stored, and `limit_bytes` the most that it may hold; None where that is not known.
    """

    problem: str | None = None
    full: bool = False
    refusing: tuple[str, ...] = ()
    free_bytes: int | None = None
    limit_bytes: int | None = None

    @property
    def writable(self) -> bool:
        return self.problem is None

    @property
    def words(self) -> str | None:
        """What keeps the log from taking writes, as the end of a sentence; None where nothing is known to."""
        if self.problem is None:
            return None
        return f"the log is full: {self.problem}" if self.full else f"the log takes no writes: {self.problem}"


class ServerHealth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one server fares. `problems` names what keeps it from being ready: "log", "views", or a part; `parts` tells which of them run."""

    log: LogHealth = LogHealth()
    log_position: Position | None = None
    views_position: Position | None = None
    problems: dict[str, str] = {}
    parts: dict[str, bool] = {}

    @property
    def ready(self) -> bool:
        return not self.problems

    @property
    def views_away(self) -> str | None:
        """Why the views cannot be asked, so that no caller need wait for them; None where they can."""
        return self.problems.get("views") if self.views_position is None else None

    @property
    def lag(self) -> int | None:
        """How many commits the views are behind the log; None where that is not known."""
        if self.log_position is None or self.views_position is None:
            return None
        return max(0, self.log_position - self.views_position)


class Requester(Protocol):
    """Sends requests, as every log does."""

    async def request(self, subject: str, data: bytes, *, timeout: float) -> bytes: ...


decode_health = message_decoder(ServerHealth)


async def ask_health(log: Requester, *, unanswered: bool = False, timeout_seconds: float = ANSWER_SECONDS) -> ServerHealth | None:
    """Return how the server fares that answers first; None where none answers, or none that tells this.

    `unanswered` says that an append just went without an answer.
    """
    try:
        return decode_health(await log.request(subjects.SERVER_HEALTH, UNANSWERED if unanswered else b"", timeout=timeout_seconds))
    except LogError:
        return None
