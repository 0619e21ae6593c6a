"""What can have happened to a flow group: the identity of a flow over its versions."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from headwater.core.event import Event
from headwater.core.values.limits import Int32, Int64, Name, Token, Uuid

PARTS_MAX = 1_000
"""Parts of one registration: half a gigabyte of tasks and edges. A reader asks for each."""


class ParameterSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """A parameter as the flow declares it. `default` means nothing where `required` is true."""

    name: str
    required: bool = False
    default: Any = None


class TaskSpec(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of a task without its code. `settings` holds the rest of its serialised form, for show."""

    slug: Name
    name: str
    type: str = ""
    tags: tuple[str, ...] = ()
    max_retries: Int32 = 0
    retry_delay_seconds: float | None = None
    timeout_seconds: float | None = None
    trigger: str = "all_successful"
    mapped: bool = False
    reference: bool = False
    settings: dict[str, Any] = {}


class EdgeSpec(msgspec.Struct, frozen=True, omit_defaults=True, array_like=True):
    """A dependency between two tasks, by slug; `key` names the argument that carries the data, or is None."""

    upstream: Name
    downstream: Name
    key: str | None = None
    mapped: bool = False
    flattened: bool = False


class StorageReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the flow's code lies on the user's side, and how to tell that it is still the same. Never the code itself."""

    type: str
    location: str = ""
    flow_name: str = ""
    stored_as_script: bool = False
    sha256: str | None = None
    python_version: str = ""
    options: dict[str, Any] = {}


class RegistrationParts(msgspec.Struct, frozen=True):
    """Where the tasks and edges of a registration lie that did not fit into one message.

    The parts are the messages 1 to `count` on `hw.evt.part.<registration_id>.<n>`; `sha256` covers their bytes in order.
    """

    registration_id: Token
    count: Annotated[int, Meta(ge=1, le=PARTS_MAX)]
    sha256: str


class FlowRegistered(Event, tag="flow.registered", frozen=True):
    """A new version of the flow exists; all older versions are archived by it, named in `archives`.

    Holds metadata only. Where tasks and edges are many, `parts` says where they are and both lists are empty.
    """

    flow_id: Uuid
    flow_group_id: Uuid
    project_id: Uuid
    name: Name
    flow_version: Int64 = msgspec.field(name="version")
    task_count: Int32
    edge_count: Int32
    storage: StorageReference
    tasks: tuple[TaskSpec, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()
    parts: RegistrationParts | None = None
    parameters: tuple[ParameterSpec, ...] = ()
    labels: tuple[str, ...] = ()
    run_config: dict[str, Any] = {}
    schedule: dict[str, Any] | None = None
    serialized_hash: str = ""
    idempotency_key: str | None = None
    environment: dict[str, Any] = {}
    archives: tuple[Uuid, ...] = ()


class RegistrationPart(Event, tag="flow.registration_part", frozen=True):
    """A slice of the tasks and edges of a large registration. Means nothing until a `flow.registered` names it."""

    registration_id: Token
    number: Int32
    tasks: tuple[TaskSpec, ...] = ()
    edges: tuple[EdgeSpec, ...] = ()


class FlowVersionArchived(Event, tag="flow.version_archived", frozen=True):
    """This version takes no new runs."""

    flow_id: Uuid
    flow_version: Int64 = msgspec.field(name="version")


class FlowDeleted(Event, tag="flow.deleted", frozen=True):
    """The flow is gone from the lists and takes no new runs. Registering it again brings it back with the next version number."""

    reason: str = ""


class FlowAttemptsLimited(Event, tag="flow.attempts_limited", frozen=True):
    """New runs of the flow fail when so many of their attempts were lost; None: as Headwater has it."""

    attempts_max: Int32 | None


class FlowDescribed(Event, tag="flow.described", frozen=True):
    """The flow has another description, over all its versions."""

    description: str


class FlowLabelsSet(Event, tag="flow.labels_set", frozen=True):
    """New runs get these labels, whatever the flow was registered with; None: each version's own."""

    labels: tuple[str, ...] | None


class FlowDefaultParametersSet(Event, tag="flow.default_parameters_set", frozen=True):
    """New runs get these values where none are given, before the flow's own defaults. All that held before are replaced."""

    parameters: dict[str, Any]


FlowEvent = (
    FlowRegistered | FlowVersionArchived | FlowDeleted | FlowAttemptsLimited | FlowDescribed | FlowLabelsSet | FlowDefaultParametersSet
)
PartEvent = RegistrationPart
