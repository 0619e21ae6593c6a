"""Events in words, for people who read the audit trail. One sentence per event, the same in the command line and in the browser."""

from __future__ import annotations

from headwater.core.agents import describe as agents
from headwater.core.backfills import describe as backfills
from headwater.core.events import AnyEvent, event_type
from headwater.core.flows import describe as flows
from headwater.core.key_values import describe as key_values
from headwater.core.projects import describe as projects
from headwater.core.queues import describe as queues
from headwater.core.runs import describe as runs
from headwater.core.runs import describe_task_run as task_runs
from headwater.core.schedules import describe as schedules
from headwater.core.slots import describe as slots

_ROOMS = (task_runs, projects, key_values, flows, slots, queues, runs, agents, schedules, backfills)


def describe_event(event: AnyEvent) -> str:
    """Return what the event says, as one line without its time and actor."""
    found = (room.describe(event) for room in _ROOMS)
    return next((words for words in found if words), f"{event_type(event)} (of a newer version)")
