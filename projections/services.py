"""Everything of the views that runs inside the server."""

from __future__ import annotations

from headwater.core.concurrency import Service
from headwater.core.log.protocol import Log
from headwater.projections.log_lines import LogLines
from headwater.projections.projector import Projector
from headwater.projections.query_service import QueryService
from headwater.projections.reactions import Archiver
from headwater.projections.rebuilder import Rebuilder


def view_services(log: Log, database_url: str, *, log_retention_days: float = 7.0) -> list[Service]:
    """Return the services that keep and show the views, in the order in which they are to be started.

    They live through outages of the log and of PostgreSQL; two servers may run them on one log and one database.
    """
    archiver = Archiver(log, database_url)
    projector = Projector(log, database_url, on_applied=archiver.applied)
    log_lines = LogLines(log, database_url, log_retention_days)
    rebuilder = Rebuilder(log, database_url)
    queries = QueryService(log, database_url, rebuilder, health=(projector.health, log_lines.health, archiver.health))
    return [projector, log_lines, archiver, rebuilder, queries]
