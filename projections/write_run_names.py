"""Writing the names that runs have, each with the newest of its runs: what people look for is looked for among these."""

from __future__ import annotations

from typing import Any

from headwater.projections.fold.changes import Changes
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.tables import RUN_NAMES, RunName

_ADD = f"""
{RUN_NAMES.insert_many_statement}
ON CONFLICT (name) DO UPDATE SET newest_position = excluded.newest_position
WHERE run_names.newest_position < excluded.newest_position
"""
_NAMES_OF = "SELECT DISTINCT name FROM runs WHERE id = ANY($1::uuid[])"
_DROP_UNUSED = """
DELETE FROM run_names n WHERE n.name = ANY($1::text[]) AND NOT EXISTS (SELECT FROM runs r WHERE r.name = n.name)
"""
_FIND_NEWEST = """
UPDATE run_names n SET newest_position = (SELECT max(r.created_position) FROM runs r WHERE r.name = n.name) WHERE n.name = ANY($1::text[])
"""


async def names_before(db: Any, changes: Changes) -> set[str]:
    """Return the names of the runs that are renamed or deleted, as the rows still have them."""
    affected = changes.renamed_runs | changes.deleted_runs
    return {row["name"] for row in await db.fetch(_NAMES_OF, list(affected))} if affected else set()


async def write_run_names(db: Any, changes: Changes, before: set[str]) -> None:
    """Write the names of new and of renamed runs, and look again at those that runs had before; the rows of runs are written."""
    newest: dict[str, RunName] = {}
    for run in changes.runs.values():
        if not run.head.deleted and (run.is_new or run.run_id in changes.renamed_runs):
            named = _name_of(run)
            if named.name not in newest or newest[named.name].newest_position < named.newest_position:
                newest[named.name] = named
    if newest:
        await db.execute(_ADD, *RUN_NAMES.values(list(newest.values())))
    if before:
        for statement in (_DROP_UNUSED, _FIND_NEWEST):
            await db.execute(statement, list(before))


def _name_of(run: KnownRun) -> RunName:
    return RunName(run.head.name, run.created_position)
