"""Everything of the views that runs inside the server."""

from __future__ import annotations

from dataclasses import dataclass, field

from headwater.core.log.protocol import Log
from headwater.core.program.concurrency import Service
from headwater.projections.database import USUAL_TIMES, DatabaseTimes
from headwater.projections.log_lines import LogLines
from headwater.projections.policies import CancelArchivedRuns
from headwater.projections.projector import Projector
from headwater.projections.query_service import QueryService
from headwater.projections.rebuilder import Rebuilder


@dataclass
class ViewServices:
    """The services that keep and show the views. Each may be served again after it ended.

    They live through outages of the log and of PostgreSQL; two servers may run them on one log and one database.
    """

    log: Log
    database_url: str
    log_retention_days: float = 7.0
    times: DatabaseTimes = USUAL_TIMES
    projector: Projector = field(init=False)
    log_lines: LogLines = field(init=False)
    archiver: CancelArchivedRuns = field(init=False)
    rebuilder: Rebuilder = field(init=False)
    queries: QueryService = field(init=False)

    def __post_init__(self) -> None:
        self.archiver = CancelArchivedRuns(self.log, self.database_url)
        self.projector = Projector(self.log, self.database_url, on_applied=self.archiver.applied, times=self.times)
        self.log_lines = LogLines(self.log, self.database_url, self.log_retention_days, times=self.times)
        self.rebuilder = Rebuilder(self.log, self.database_url)
        health = (self.projector.health, self.log_lines.health, self.archiver.health)
        self.queries = QueryService(self.log, self.database_url, self.rebuilder, health=health, times=self.times)


def view_services(log: Log, database_url: str, *, log_retention_days: float = 7.0, times: DatabaseTimes = USUAL_TIMES) -> list[Service]:
    """Return the services of the views, in the order in which they are to be started."""
    views = ViewServices(log, database_url, log_retention_days, times)
    return [views.projector, views.log_lines, views.archiver, views.rebuilder, views.queries]
