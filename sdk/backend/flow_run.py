"""A run, its states, log lines and task runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import task_run_path
from headwater.core.values.moments import assume_utc
from headwater.sdk.backend.connection import shared_client
from headwater.sdk.backend.flow import FlowView
from headwater.sdk.backend.task_run import TaskRunView
from headwater.sdk.backend.watching import FlowRunLog
from headwater.sdk.client import Client, FlowRunInfo
from headwater.sdk.states.state import State

TASK_RUNS_MAX = 1_000


@dataclass(frozen=True)
class FlowRunView:
    """A run as the log has it, never behind; `get_latest` looks again.

    Raises (`from_flow_run_id`):
        NotFound: there is no such run.
        LogUnavailable: no server answers.

    """

    info: FlowRunInfo = field(repr=False)
    _client: Client = field(repr=False, compare=False)

    @classmethod
    def from_flow_run_id(cls, flow_run_id: str, *, client: Client | None = None) -> FlowRunView:
        """Return the run of this id."""
        connected = client or shared_client()
        return cls(connected.get_flow_run_info(flow_run_id), connected)

    @property
    def flow_run_id(self) -> str:
        return self.info.id

    @property
    def flow_id(self) -> str:
        return self.info.flow_id

    @property
    def name(self) -> str:
        return self.info.name

    @property
    def state(self) -> State:
        return self.info.state

    @property
    def labels(self) -> tuple[str, ...]:
        return self.info.labels

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self.info.parameters

    @property
    def context(self) -> Mapping[str, Any]:
        return self.info.context

    @property
    def run_config(self) -> Mapping[str, Any]:
        return self.info.run_config

    @property
    def updated_at(self) -> datetime | None:
        """When it ended, began, or was created."""
        return self.info.end_time or self.info.start_time or self.info.created

    @property
    def states(self) -> list[State]:
        """The states the run was in, in order, as the views show them."""
        position = self.info.position
        rows = self._client.call(lambda client: client.views.run_states(self.flow_run_id, at_least=position))
        return [State.deserialize({"type": row.state, "message": row.message}) for row in rows]

    def get_latest(self) -> FlowRunView:
        """Return the run as it is now."""
        return self.from_flow_run_id(self.flow_run_id, client=self._client)

    def get_logs(self, start_time: datetime | None = None, end_time: datetime | None = None) -> list[FlowRunLog]:
        """Return the log lines, in order: those from `start_time` on, and up to `end_time`; times without a zone are in UTC."""
        first, last = (None if each is None else assume_utc(each) for each in (start_time, end_time))
        return [
            FlowRunLog(row.at, row.level, row.message)
            for row in self._client.get_logs(self.flow_run_id)
            if (first is None or row.at >= first) and (last is None or row.at <= last)
        ]

    def get_task_run(self, task_slug: str | None = None, task_run_id: str | None = None, map_index: int = -1) -> TaskRunView:
        """Return one task run, by its task's slug or by its id.

        Raises:
            InvalidArgument: neither was given, or both.
            NotFound: there is none.

        """
        if (task_slug is None) == (task_run_id is None):
            raise InvalidArgument("A task run is found by task_slug, or by task_run_id.", hint="Give one of them.")
        if task_run_id is not None:
            return TaskRunView.from_task_run_id(task_run_id, client=self._client)
        return TaskRunView.in_run(self.info, task_slug or "", map_index, self._client)

    def get_all_task_runs(self) -> list[TaskRunView]:
        """Return all task runs: parents, and children after them.

        Raises:
            InvalidArgument: there are more than a thousand.

        """
        if len(self.info.task_runs) > TASK_RUNS_MAX:
            raise InvalidArgument(
                f"Run {self.name!r} has {len(self.info.task_runs)} task runs, more than {TASK_RUNS_MAX}.",
                hint="Take them one by one: get_task_run(task_slug=..., map_index=...).",
            )
        return [TaskRunView.of(self.info, found, self._client) for found in self.info.task_runs]

    def get_task_run_ids(self) -> list[str]:
        """Return the ids of all task runs."""
        return [task_run_path(self.flow_run_id, found.slug, found.map_index) for found in self.info.task_runs]

    def get_flow_metadata(self) -> FlowView:
        """Return the version of the flow that the run is of."""
        return FlowView.from_id(self.flow_id, client=self._client)
