"""A task run of a run, and its result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headwater.core.errors import HeadwaterError, InvalidArgument, NotFound
from headwater.core.values.identifiers import parsed_task_run_id, task_run_path
from headwater.sdk.backend.connection import shared_client
from headwater.sdk.client import Client, FlowRunInfo, TaskRunInfo
from headwater.sdk.states.state import State


class ResultUnavailable(HeadwaterError, ValueError):
    """The result of a task run cannot be had: it has none yet, or it was not kept."""


@dataclass(frozen=True)
class TaskRunView:
    """A task run as the log has it; `get_latest` looks again. Its id is `<run id>/<slug>/<map index>`.

    Raises (all constructors):
        NotFound: there is no such run, or no such task run in it.

    """

    flow_run_id: str
    task_slug: str
    map_index: int
    name: str
    state: State = field(repr=False)
    run_count: int
    start_time: datetime | None
    end_time: datetime | None
    _run: FlowRunInfo = field(repr=False, compare=False)
    _client: Client = field(repr=False, compare=False)

    @classmethod
    def from_task_slug(cls, task_slug: str, flow_run_id: str, map_index: int = -1, *, client: Client | None = None) -> TaskRunView:
        """Return the task run of this task; of a mapped task the child of this index, or with -1 the parent."""
        connected = client or shared_client()
        return cls.in_run(connected.get_flow_run_info(flow_run_id), task_slug, map_index, connected)

    @classmethod
    def from_task_run_id(cls, task_run_id: str, *, client: Client | None = None) -> TaskRunView:
        """Return the task run of this id, in Python's form or in that of GraphQL: `<run id>:<map index>:<slug>`.

        Raises:
            InvalidArgument: it is of neither form.

        """
        run_id, slug, map_index = parsed_task_run_id(task_run_id)
        return cls.from_task_slug(slug, run_id, map_index, client=client)

    @classmethod
    def in_run(cls, run: FlowRunInfo, task_slug: str, map_index: int, client: Client) -> TaskRunView:
        """Return the task run of a run that was looked up already."""
        for found in run.task_runs:
            if (found.slug, found.map_index) == (task_slug, map_index):
                return cls.of(run, found, client)
        known = sorted({found.slug for found in run.task_runs})
        index = "" if map_index < 0 else f" of index {map_index}"
        raise NotFound("task run", f"{task_slug}{index}", hint=f"Run {run.name!r} has the tasks {', '.join(known) or '(none)'}.")

    @classmethod
    def of(cls, run: FlowRunInfo, found: TaskRunInfo, client: Client) -> TaskRunView:
        return cls(
            run.id, found.slug, found.map_index, found.name, found.state, found.run_count, found.start_time, found.end_time, run, client
        )

    @property
    def task_run_id(self) -> str:
        return task_run_path(self.flow_run_id, self.task_slug, self.map_index)

    def get_latest(self) -> TaskRunView:
        """Return the task run as it is now."""
        return self.from_task_slug(self.task_slug, self.flow_run_id, self.map_index, client=self._client)

    def iter_mapped(self) -> Iterator[TaskRunView]:
        """Yield the children of a mapped task run, in order.

        Raises:
            InvalidArgument: it is not mapped.

        """
        if not self.state.is_mapped():
            raise InvalidArgument(f"Task run {self.name!r} is not mapped, it is {type(self.state).__name__}.")
        for found in self._run.task_runs:
            if found.slug == self.task_slug and found.map_index >= 0:
                yield self.of(self._run, found, self._client)

    def get_result(self) -> Any:
        """Return the task's result, read from where it was kept; of a mapped task the list of its children's.

        Raises:
            ResultUnavailable: the task run has not succeeded, or its result was not kept.

        """
        if self.state.is_mapped():
            return [child.get_result() for child in self.iter_mapped()]
        if self.state.is_skipped():
            return None
        if not self.state.is_successful():
            raise ResultUnavailable(
                f"Task run {self.name!r} has no result: it is {type(self.state).__name__}.",
                hint="Wait for the run, or look at why it failed.",
            )
        if self.task_slug in self._run.parameters:
            return self._run.parameters[self.task_slug]
        result = self.state._result  # noqa: SLF001 - the state's other half
        if result.value is None and result.location is None:
            raise ResultUnavailable(
                f"The result of task run {self.name!r} was not kept.",
                hint="Give the task, or its flow, a result: LocalResult(), S3Result(...), or InlineResult() for small values.",
            )
        if result.value is None and not result.keeps_values:
            raise ResultUnavailable(
                f"The result of task run {self.name!r} is at {result.location}, and nothing here says how to read it.",
                hint="Read it with the result class of your own that wrote it.",
            )
        try:
            return self.state.load_result().result
        except OSError as error:
            raise ResultUnavailable(
                f"The result of task run {self.name!r} is at {result.location}, which cannot be read here: {error}.",
                hint="Read it where the run was executed, or keep results where every machine reads them, as with S3Result(...).",
            ) from error
