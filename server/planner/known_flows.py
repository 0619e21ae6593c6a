"""Flows as schedules need them: which version takes runs now. Read once; then the log tells when that may have changed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from headwater.core.errors import FlowArchived, NotFound
from headwater.core.events import FlowRegistered, SkipReason
from headwater.core.flows.state import FlowGroup
from headwater.core.operations.flow_catalogue import FlowCatalogue

KEPT_MAX = 10_000


@dataclass(frozen=True)
class ActiveFlow:
    """The version of a flow that takes runs, with the flow's settings and the name of its project."""

    version: FlowRegistered
    group: FlowGroup
    project_name: str


class KnownFlows:
    """Flows that were asked for. Who follows the log calls `forget` for each flow and project that something happened to."""

    def __init__(self, catalogue: FlowCatalogue) -> None:
        self._catalogue = catalogue
        self._known: dict[str, ActiveFlow | SkipReason] = {}
        self._of_project: defaultdict[str, set[str]] = defaultdict(set)
        self._changes = 0

    async def active(self, group_id: str) -> ActiveFlow | SkipReason:
        """Return the version of the flow that takes runs, or why there is none.

        Raises:
            LogError: it cannot be read now.

        """
        known = self._known.get(group_id)
        if known is not None:
            return known
        before = self._changes
        found: ActiveFlow | SkipReason
        try:
            found = ActiveFlow(*await self._catalogue.resolve_active(group_id))
        except NotFound as error:
            return SkipReason.PROJECT_DELETED if error.kind == "project" else SkipReason.FLOW_ARCHIVED
        except FlowArchived:
            return SkipReason.FLOW_ARCHIVED
        if self._changes == before:  # else something happened while it was read
            self._of_project[found.version.project_id].add(group_id)
            self._known[group_id] = found
            if len(self._known) > KEPT_MAX:
                del self._known[next(iter(self._known))]
        return found

    def clear(self) -> None:
        """Anything may have happened."""
        self._changes += 1
        self._known.clear()
        self._of_project.clear()

    def forget(self, kind: str, about: str) -> None:
        """Something happened to this flow, or to this project."""
        self._changes += 1
        for group_id in self._of_project.pop(about, ()) if kind == "project" else (about,):
            self._known.pop(group_id, None)
