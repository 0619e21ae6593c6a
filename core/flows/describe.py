"""What happened to a flow, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent
from headwater.core.values.phrases import attempts_phrase, because, labels_phrase, shorten


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.FlowRegistered():
            replaced = f", archiving {len(event.archives)} older" if event.archives else ""
            tasks = "1 task" if event.task_count == 1 else f"{event.task_count} tasks"
            return f"flow {event.name!r} was registered as version {event.flow_version} with {tasks}{replaced}"
        case e.RegistrationPart():
            return f"part {event.number} of registration {event.registration_id}: {len(event.tasks)} tasks, {len(event.edges)} edges"
        case e.FlowVersionArchived():
            return f"version {event.flow_version} was archived"
        case e.FlowDeleted():
            return f"the flow was deleted{because(event.reason)}"
        case e.FlowAttemptsLimited():
            if event.attempts_max is None:
                return "new runs of the flow get as many attempts as runs of other flows"
            return f"new runs of the flow fail when {attempts_phrase(event.attempts_max)} lost"
        case e.FlowDescribed():
            return f"the flow's description became {shorten(event.description)!r}"
        case e.FlowLabelsSet():
            return f"new runs of the flow get {'the labels of their version' if event.labels is None else labels_phrase(event.labels)}"
        case e.FlowDefaultParametersSet():
            values = ", ".join(f"{name}={shorten(repr(value))}" for name, value in event.parameters.items())
            return f"new runs of the flow get {values or 'the defaults of their version'} where nothing else is given"
    return None
