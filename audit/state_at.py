"""Everything the log tells of, folded by the rules themselves: what was the case at the position the fold has reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from headwater.core.agents import rules as agent
from headwater.core.flows import rules as flow_group
from headwater.core.key_values import rules as key_value
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Recorded
from headwater.core.projects import rules as project
from headwater.core.queues import rules as queue
from headwater.core.rules import Rules
from headwater.core.runs import rules as run

RULES: dict[str, Rules[Any, Any]] = {
    "project": project.RULES,
    "kv": key_value.RULES,
    "flow": flow_group.RULES,
    "run": run.RULES,
    "queue": queue.RULES,
    "agent": agent.RULES,
}
"""The kinds of aggregates that people ask about, by the word in their subjects."""

Key = tuple[str, str]
"""Kind and id of an aggregate."""


@dataclass
class StateAt:
    """The state of every aggregate, and the position and time of the last commit folded. `unreadable` commits are listed, not guessed."""

    states: dict[Key, Any] = field(default_factory=dict)
    position: Position = 0
    time: datetime | None = None
    unreadable: list[tuple[Position, str, str]] = field(default_factory=list)

    def fold(self, recorded: Recorded) -> Key | None:
        """Fold one commit in; return the aggregate it is about, or None where people do not ask about its kind."""
        self.position, self.time = recorded.position, recorded.recorded_at
        key = aggregate_of(recorded.subject)
        if (dead := recorded.dead_letter) is not None and subjects.kind_of(recorded.subject) in RULES:
            self.unreadable.append((recorded.position, recorded.subject, dead.reason))
            return key
        if key is None:
            return None
        rules = RULES[key[0]]
        self.states[key] = rules.fold(recorded.events, self.states.get(key, rules.initial))
        return key


def aggregate_of(subject: str) -> Key | None:
    """Return the kind and id of the aggregate whose history lies on this subject."""
    address = subjects.parse(subject)
    return None if address is None or address.kind not in RULES else (address.kind, address.id)
