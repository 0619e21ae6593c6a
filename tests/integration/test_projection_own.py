"""A projection that a user wrote."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from harness.scenario import create_flow, create_run, executed
from harness.views_fixtures import eventually, hosted, opened, serving

from headwater.core.errors import InvalidArgument
from headwater.core.events import RunCreated, RunSucceeded
from headwater.core.log import subjects
from headwater.core.log.protocol import Log, Recorded
from headwater.projections.custom import CustomProjector, Projection
from headwater.projections.database import USUAL_TIMES


class Ends(Projection):
    """How each run ended, by the user's own taste."""

    name = "ends"
    tables = "CREATE TABLE ends (run_id uuid PRIMARY KEY, name text NOT NULL, ended timestamptz)"
    subjects = subjects.RUNS_ALL

    async def apply(self, db: Any, recorded: Recorded) -> None:
        for event in recorded.commit.events:
            match event:
                case RunCreated(name="a name this projection cannot stand"):
                    raise ValueError(event.name)
                case RunCreated():
                    await db.execute("INSERT INTO ends VALUES ($1, $2)", event.run_id, event.name)
                case RunSucceeded():
                    await db.execute("UPDATE ends SET ended = $2 WHERE run_id = $1", recorded.subject.rpartition(".")[2], event.at)


class BetterEnds(Ends):
    version = 2
    tables = "CREATE TABLE ends (run_id uuid PRIMARY KEY, name text NOT NULL, ended timestamptz, note text NOT NULL DEFAULT 'new')"


@pytest.fixture
async def log(nats_url: str) -> AsyncIterator[Log]:
    async with hosted(opened(nats_url)) as log:
        yield log


async def rows(database_url: str, statement: str) -> list[tuple[Any, ...]]:
    db = await asyncpg.connect(database_url)
    try:
        return [tuple(row) for row in await db.fetch(statement)]
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError, asyncpg.InvalidSchemaNameError):
        return []
    finally:
        await db.close()


async def test_it_follows_the_log_sets_aside_what_it_cannot_apply_and_is_rebuilt_for_a_new_version(log: Log, database_url: str) -> None:
    flow = await create_flow(log)
    await create_run(log, flow.flow_id, name="a name this projection cannot stand")
    run = await create_run(log, flow.flow_id, name="good")
    ended = "SELECT name, ended IS NOT NULL FROM own_ends.ends ORDER BY name"

    async with serving(CustomProjector(log, database_url, Ends())):
        await executed(log, run.run_id)
        await eventually(lambda: _is(database_url, ended, [("good", True)]), "the run's end is there")
    await create_run(log, flow.flow_id, name="later")
    async with serving(CustomProjector(log, database_url, Ends())):
        await eventually(lambda: _is(database_url, ended, [("good", True), ("later", False)]), "it goes on where it ended")
    assert [row[2:] for row in await rows(database_url, "SELECT * FROM headwater.own_set_aside")] == [
        (subjects.run(str(await _bad_run(log))), "ValueError: a name this projection cannot stand")
    ]
    async with serving(CustomProjector(log, database_url, BetterEnds())):
        noted = "SELECT name, note FROM own_ends.ends ORDER BY name"
        await eventually(lambda: _is(database_url, noted, [("good", "new"), ("later", "new")]), "it is folded anew")


class Sessions(Projection):
    """After how long a silence PostgreSQL ends the session that writes this."""

    name = "sessions"
    tables = "CREATE TABLE silences (outside text, inside text)"

    async def apply(self, db: Any, recorded: Recorded) -> None:
        show = "INSERT INTO silences SELECT current_setting('idle_session_timeout'), current_setting('idle_in_transaction_session_timeout')"
        await db.execute(show)


async def test_a_process_that_is_frozen_loses_its_turn_and_a_slow_one_keeps_it(log: Log, database_url: str) -> None:
    async with serving(CustomProjector(log, database_url, Sessions())):

        async def kept() -> bool:
            await create_flow(log)
            return (f"{USUAL_TIMES.session_seconds:g}s", "5min") in await rows(database_url, "SELECT * FROM own_sessions.silences")

        await eventually(kept, "a commit is applied in a session that is kept")


async def _is(database_url: str, statement: str, wanted: list[tuple[Any, ...]]) -> bool:
    return await rows(database_url, statement) == wanted


async def _bad_run(log: Log) -> str:
    async for batch in log.events.read_all():
        for recorded in batch:
            for event in recorded.commit.events:
                if isinstance(event, RunCreated) and event.name == "a name this projection cannot stand":
                    return event.run_id
    raise AssertionError("There is no such run.")


def test_a_name_that_cannot_name_a_schema_is_refused() -> None:
    class Bad(Ends):
        name = "drop table;"

    with pytest.raises(InvalidArgument, match="cannot name a projection"):
        CustomProjector(None, "", Bad())  # type: ignore[arg-type]


def test_the_name_under_which_they_were_imported_first_still_serves() -> None:
    from headwater.projections import custom, own

    assert (own.OwnProjector, own.Projection) == (custom.CustomProjector, custom.Projection)
