"""What happened to an agent, in words."""

from __future__ import annotations

from headwater.core import events as e
from headwater.core.events import AnyEvent
from headwater.core.values.phrases import because, labels_phrase


def describe(event: AnyEvent) -> str | None:
    """Return what the event says, for people; None where it is none of these."""
    match event:
        case e.AgentRegistered():
            host = event.hostname or "an unnamed host"
            return f"{event.kind} agent {event.name!r} took up work on {host}, for {labels_phrase(event.labels)}"
        case e.AgentStopped():
            return f"the agent stopped{because(event.reason)}"
        case e.AgentLost():
            return f"the agent was lost{because(event.reason)}"
    return None
