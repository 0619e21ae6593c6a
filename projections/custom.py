"""Projections of your own: tables that you define, folded from the same log by the same means as the views.

    class Durations(Projection):
        name = "durations"
        tables = "CREATE TABLE durations (run_id uuid PRIMARY KEY, started timestamptz, ended timestamptz);"

        async def apply(self, db, recorded):
            for event in recorded.commit.events:
                ...
                await db.execute("INSERT INTO durations ...", ...)

    async with open_log(url, key) as log:
        await CustomProjector(log, database_url, Durations()).serve()

The tables lie in the PostgreSQL schema `own_<name>`, which is the search path while `apply` runs.
"""

from __future__ import annotations

import logging
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import asyncpg
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.core.errors import InvalidArgument
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log, Recorded
from headwater.core.text import escaped
from headwater.projections.follower import Follower
from headwater.projections.health import Health
from headwater.projections.schema import Fenced
from headwater.projections.stored_values import text

logger = logging.getLogger("headwater.projections")

BATCH_MAX = 500
APPLY_SECONDS_MAX = 300.0
"""So long `apply` may take between two statements. PostgreSQL gives the turn to another process after that."""
_NOT_THE_COMMITS_FAULT = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
)


class Projection(ABC):
    """What is folded, and into which tables.

    `name` is made of small letters, digits and underscores. Raise `version` when `tables` or `apply` change: the next start empties
    the tables and folds the log again from its beginning. `subjects` narrows what is read, as in NATS.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    tables: ClassVar[str]
    subjects: ClassVar[str] = subjects.EVENTS_ALL

    @abstractmethod
    async def apply(self, db: Any, recorded: Recorded) -> None:
        """Write what this commit means, over this connection (of asyncpg), inside the transaction that is open on it.

        Depend on nothing but the commit and your tables, so that a rebuild gives the same rows. Take at most `APPLY_SECONDS_MAX` between
        two statements: a process that is silent for longer loses its turn, and what it did not commit. A commit for which this raises is
        set aside in `headwater.own_set_aside`, and the next one is applied.
        """


@dataclass
class CustomProjector:
    """A service: keeps the tables of one projection at the log's end, through outages. A second one of the same name waits its turn."""

    log: Log
    database_url: str
    projection: Projection
    health: Health = field(init=False)
    _follower: Follower = field(init=False)

    def __post_init__(self) -> None:
        name = self.projection.name
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,50}", name):
            raise InvalidArgument(f"{name!r} cannot name a projection.", hint="Use small letters, digits and underscores.")
        self.health = Health(f"The projection {name!r}")
        lock = f"headwater projection {name}"
        self._follower = Follower(self.database_url, f"projection {name}", lock, self.health, silence_in_transaction=APPLY_SECONDS_MAX)

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await self._follower.serve(self._follow)

    async def _follow(self, db: Any, group: TaskGroup) -> None:
        position = await self._prepare(db)
        await db.execute(f"SET search_path TO {self._schema}")

        async def write(batch: Sequence[Recorded]) -> None:
            nonlocal position
            await self._write(db, batch, seen=position)
            position = batch[-1].position

        async with self.log.events.follow(self.projection.subjects, after=position) as batches:
            self.health.follows(group)
            await self._follower.write_batches(db, batches, BATCH_MAX, write)

    @property
    def _schema(self) -> str:
        return f"own_{self.projection.name}"

    async def _prepare(self, db: Any) -> Position:
        """Return the position reached so far; 0, with empty tables, where the version or the log is another than before."""
        identity = (await self.log.events.tail()).identity
        name, version = self.projection.name, self.projection.version
        async with db.transaction():
            found = await db.fetchrow("SELECT version, log_identity, position FROM headwater.own_projections WHERE name = $1", name)
            if found is not None and (found["version"], found["log_identity"]) == (version, identity):
                position: Position = found["position"]
                return position
            await db.execute(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE")
            await db.execute(f"CREATE SCHEMA {self._schema}")
            await db.execute(f"SET LOCAL search_path TO {self._schema}")
            await db.execute(self.projection.tables)
            await db.execute("DELETE FROM headwater.own_projections WHERE name = $1", name)
            await db.execute("DELETE FROM headwater.own_set_aside WHERE name = $1", name)
            statement = "INSERT INTO headwater.own_projections (name, version, log_identity) VALUES ($1, $2, $3)"
            await db.execute(statement, name, version, identity)
        return 0

    async def _write(self, db: Any, batch: Sequence[Recorded], *, seen: Position) -> None:
        async with db.transaction():
            for recorded in batch:
                await self._apply(db, recorded)
            statement = "UPDATE headwater.own_projections SET position = $1 WHERE name = $2 AND position = $3"
            if await db.execute(statement, batch[-1].position, self.projection.name, seen) != "UPDATE 1":
                raise Fenced(f"The checkpoint is no longer at position {seen}.")

    async def _apply(self, db: Any, recorded: Recorded) -> None:
        try:
            async with db.transaction():
                await self.projection.apply(db, recorded)
        except _NOT_THE_COMMITS_FAULT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the user's own code raises
            reason = escaped(f"{type(error).__name__}: {error}")
            logger.warning("The projection %r set aside position %d: %s", self.projection.name, recorded.position, reason)
            statement = "INSERT INTO headwater.own_set_aside (name, position, subject, reason) VALUES ($1, $2, $3, $4)"
            await db.execute(statement, self.projection.name, recorded.position, text(recorded.subject), text(reason))
