"""Rows of projects, of flows, and of what flows are made of."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.events import ParameterSpec, StorageReference
from headwater.core.log.commit import Position
from headwater.core.queries.rows.row import Row
from headwater.core.runs.parameters import with_defaults


class ProjectRow(Row, frozen=True, kw_only=True):
    """A project. `flow_count` counts the flows in it that were not deleted."""

    id: str
    """A UUID."""
    name: str
    """Unique among the projects that are not deleted."""
    description: str
    """What it is for; empty where nothing was said."""
    created: datetime
    """When it was created."""
    created_by: str
    """Who created it, such as `cli:ana@host`."""
    deleted: bool
    """Whether it was deleted; its flows take no new runs then."""
    flow_count: int
    """How many flows are in it that were not deleted."""
    position: Position
    """The log's position of the last commit on it."""


class FlowGroupRow(Row, frozen=True, kw_only=True):
    """A flow over all its versions. `labels` (None: each version's own) and `default_parameters` hold for new runs of every version."""

    id: str
    """A UUID, the same for all versions."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    name: str
    """Unique in the project."""
    description: str
    """What the flow is for; empty where nothing was said."""
    labels: tuple[str, ...] | None
    """Labels of new runs of every version; None: each version's own."""
    default_parameters: dict[str, Any]
    """Values of new runs by the parameter's name; empty where none were set."""
    deleted: bool
    """Whether the flow is gone from the lists."""


class FlowRow(Row, frozen=True, kw_only=True):
    """One version of a flow. `archived` versions take no new runs; `deleted` says that the whole flow is gone from the lists.

    `labels` and `parameters` are what this version was registered with. `description`, `group_labels` (None: not set) and
    `default_parameters` are the flow's, over all its versions, and go before them.
    """

    id: str
    """A UUID, made of the group's id and the version."""
    flow_group_id: str
    """The id of the flow over all its versions, a UUID."""
    project_id: str
    """The id of its project, a UUID."""
    project_name: str
    """The name of its project."""
    name: str
    """The flow's name."""
    version: int
    """The number of this version, from 1 on."""
    archived: bool
    """Whether this version takes no new runs."""
    deleted: bool
    """Whether the flow is gone from the lists, with all versions."""
    created: datetime
    """When this version was registered."""
    created_by: str
    """Who registered it, such as `client:ana@host`."""
    labels: tuple[str, ...]
    """The labels that this version was registered with, sorted; empty: every agent without labels takes its runs."""
    parameters: tuple[ParameterSpec, ...]
    """The parameters that the flow declares, in order; empty where it has none."""
    storage: StorageReference
    """Where the code lies, and how to tell that it is the same. Never the code."""
    run_config: dict[str, Any]
    """How an agent starts runs, as `RunConfig.serialize` writes it."""
    schedule: dict[str, Any] | None
    """When runs start by themselves, as `Schedule.serialize` writes it; None without a schedule."""
    environment: dict[str, Any]
    """What was known where it was registered, by name: versions of packages, a hash of the code."""
    serialized_hash: str
    """A SHA-256 over metadata and code, 64 hex digits: the same for the same flow."""
    idempotency_key: str | None
    """The key that the registration gave; None where it gave none."""
    task_count: int
    """How many tasks it has."""
    edge_count: int
    """How many dependencies there are between them."""
    position: Position
    """The log's position of the last commit on this version."""
    description: str = ""
    """What the flow is for; empty where nothing was said."""
    group_labels: tuple[str, ...] | None = None
    """Labels set for all versions, which replace `labels` for new runs; None: not set."""
    default_parameters: dict[str, Any] = {}
    """Values set for all versions, by the parameter's name; they go before the defaults in `parameters`."""

    @property
    def run_labels(self) -> tuple[str, ...]:
        """The labels of new runs that are not given others."""
        return self.labels if self.group_labels is None else self.group_labels

    @property
    def run_parameters(self) -> tuple[ParameterSpec, ...]:
        """The parameters of new runs, with the defaults that these have."""
        return with_defaults(self.parameters, self.default_parameters)


class FlowTaskRow(Row, frozen=True, kw_only=True):
    """A task of a flow version, in the order of its registration."""

    flow_id: str
    """The id of the flow version."""
    slug: str
    """Identifies the task in the version."""
    name: str
    """What people see."""
    type: str
    """The class of the task, as a dotted path."""
    tags: tuple[str, ...]
    """Its tags, sorted; empty where it has none."""
    max_retries: int
    """How often it is tried again after a failure; 0: never."""
    retry_delay_seconds: float | None
    """The pause before each retry, in seconds; None without retries."""
    timeout_seconds: float | None
    """How long one execution may take, in seconds; None: without end."""
    trigger: str
    """The name of the trigger, such as `all_successful`."""
    mapped: bool
    """Whether it runs once for each element of its inputs."""
    reference: bool
    """Whether it decides how a run ended."""
    settings: dict[str, Any]
    """The rest of its serialised form, for show."""


class FlowEdgeRow(Row, frozen=True, kw_only=True):
    """A dependency between two tasks of a flow version, by slug."""

    flow_id: str
    """The id of the flow version."""
    upstream: str
    """The slug of the task that runs first."""
    downstream: str
    """The slug of the task after it."""
    key: str | None
    """The argument that gets the result; None where only the order matters."""
    mapped: bool
    """Whether the second runs once for each element of the result."""
    flattened: bool
    """Whether the result is a list of lists that is made one list first."""
