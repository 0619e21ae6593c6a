"""The edge of the log: what is written passes here on its way out, and what is read passes here on its way in.

Both ways ask the same questions, so whatever was appended can be decoded, folded and shown by every program: the bytes are a commit
within the limits (`headwater.core.log.codec`), and it is of the aggregate on whose subject it lies. No process trusts a field because
another version of Headwater wrote it: what users write reaches every one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from headwater.core.errors import CommitTooLarge, CommitUnreadable, InvalidArgument
from headwater.core.events import (
    AgentEvent,
    AgentRegistered,
    AnyEvent,
    BackfillEvent,
    BackfillRequested,
    Event,
    FlowEvent,
    FlowRegistered,
    KeyValueDeleted,
    KeyValueEvent,
    KeyValueSet,
    NameEvent,
    PartEvent,
    ProjectCreated,
    ProjectEvent,
    QueueEvent,
    QueueOpened,
    RegistrationPart,
    RunCreated,
    RunEvent,
    ScheduleEvent,
    ScheduleSet,
    SlotEvent,
    UnknownEvent,
    event_type,
)
from headwater.core.log import subjects
from headwater.core.log.codec import decode, encode
from headwater.core.log.commit import Commit
from headwater.core.values.identifiers import key_value_id


def read_commit(subject: str, data: bytes) -> Commit:
    """Return the commit that lies on this subject.

    Raises:
        CommitUnreadable: the message is a dead letter: its bytes are not a commit, or not one of this subject's aggregate.

    """
    commit = decode(data)
    if (reason := misplaced(subject, commit)) is not None:
        raise CommitUnreadable(reason)
    return commit


def write_commit(subject: str, commit: Commit) -> bytes:
    """Return the commit as the bytes of one message for this subject.

    Raises:
        CommitTooLarge: it does not fit into one.
        InvalidArgument: a value in it could not be read back by everyone; the sentence says which and why.

    """
    try:
        data = encode(commit)
        read_commit(subject, data)
    except CommitTooLarge:
        raise
    except CommitUnreadable as error:
        raise InvalidArgument(f"This cannot be recorded: {error.reason}") from error
    except Exception as error:  # a value may be anything, and its encoding may do anything
        raise InvalidArgument(f"This cannot be recorded: {error}") from error
    return data


def misplaced(subject: str, commit: Commit) -> str | None:
    """Return why the commit cannot be of this subject's aggregate, or None where it can."""
    address = subjects.parse(subject)
    if address is None:
        return f"No aggregate has the subject {subject!r}."
    allowed = _EVENTS_OF.get(address.kind)
    for event in commit.events:
        if isinstance(event, UnknownEvent):
            continue
        if allowed is None or not isinstance(event, allowed):
            return f"The event {event_type(event)} is not one of {address.kind} subjects."
        named = _NAMES.get(type(event))
        if named is not None and named(event) != address.id:
            return f"The event {event_type(event)} is about {named(event)!r}, which is not that of its subject."
    return None


_EVENTS_OF: Mapping[str, tuple[type[Event], ...]] = {
    "project": get_args(ProjectEvent),
    "name": get_args(NameEvent),
    "kv": get_args(KeyValueEvent),
    "flow": get_args(FlowEvent),
    "part": (PartEvent,),
    "run": get_args(RunEvent),
    "queue": get_args(QueueEvent),
    "slots": get_args(SlotEvent),
    "agent": get_args(AgentEvent),
    "schedule": get_args(ScheduleEvent),
    "backfill": get_args(BackfillEvent),
}

_NAMES: Mapping[type[AnyEvent], Callable[[Any], str]] = {
    ProjectCreated: lambda event: event.project_id,
    KeyValueSet: lambda event: key_value_id(event.project_id, event.key),
    KeyValueDeleted: lambda event: key_value_id(event.project_id, event.key),
    FlowRegistered: lambda event: event.flow_group_id,
    RegistrationPart: lambda event: f"{event.registration_id}.{event.number}",
    RunCreated: lambda event: event.run_id,
    QueueOpened: lambda event: event.queue_id,
    AgentRegistered: lambda event: event.agent_id,
    ScheduleSet: lambda event: event.schedule_id,
    BackfillRequested: lambda event: event.backfill_id,
}
"""Event class → the id of the aggregate it is about, where it names that."""
