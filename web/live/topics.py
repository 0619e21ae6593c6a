"""Which topics a commit concerns. Pages name the topics they depend on; a commit wakes only the pages that show it."""

from __future__ import annotations

from collections import OrderedDict

from headwater.core.events import BackfillRequested, RunCreated, ScheduleSet, TaskRunEvent
from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Recorded

LOG = "log"
RUNS = "runs"
FLOWS = "flows"
PROJECTS = "projects"
KEY_VALUES = "key-values"
AGENTS = "agents"
QUEUES = "queues"
SCHEDULES = "schedules"
ANY_FLOW = "flow:*"
"""A run changed whose flow is not known here (it was created before this server listened): every flow's page may show it."""

RUNS_REMEMBERED_MAX = 50_000
TOPICS_REMEMBERED_MAX = 50_000


class FlowsOfRuns:
    """Which flow group a run, a schedule or a backfill belongs to, as learned from creations; other events of a run do not name it."""

    def __init__(self, most: int = RUNS_REMEMBERED_MAX) -> None:
        self._most = most
        self._known: OrderedDict[str, str] = OrderedDict()

    def learn(self, run_id: str, flow_group_id: str) -> None:
        self._known[run_id] = flow_group_id
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def topic(self, run_id: str) -> str:
        """Return the topic of the run's flow, or that of any flow."""
        group = self._known.get(run_id)
        return ANY_FLOW if group is None else f"flow:{group}"


def topics_of(recorded: Recorded, flows: FlowsOfRuns) -> frozenset[str]:
    """Return the topics that this commit concerns; of one that cannot be read, what its subject tells."""
    match subjects.parse(recorded.subject):
        case ("run", run_id):
            return _run_topics(recorded, run_id, flows)
        case ("flow", group_id):
            return frozenset({LOG, FLOWS, f"flow:{group_id}"})
        case ("slots", group_id):
            return frozenset({LOG, f"flow:{group_id}"})
        case ("project" | "name", _):
            return frozenset({LOG, PROJECTS})
        case ("kv", _):
            return frozenset({LOG, KEY_VALUES})
        case ("agent", agent_id):
            return frozenset({LOG, AGENTS, f"agent:{agent_id}"})
        case ("schedule", schedule_id):
            return _schedule_topics(recorded, schedule_id, flows)
        case ("backfill", backfill_id):
            return _backfill_topics(recorded, backfill_id, flows)
        case ("queue", _):
            return frozenset({LOG, QUEUES})
        case _:
            return frozenset({LOG})


def _schedule_topics(recorded: Recorded, schedule_id: str, flows: FlowsOfRuns) -> frozenset[str]:
    for event in recorded.events:
        definition = getattr(event, "definition", None)
        told = event if isinstance(event, ScheduleSet) else definition
        if told is not None:
            flows.learn(schedule_id, told.flow_group_id)
    return frozenset({LOG, SCHEDULES, flows.topic(schedule_id)})


def _backfill_topics(recorded: Recorded, backfill_id: str, flows: FlowsOfRuns) -> frozenset[str]:
    for event in recorded.events:
        if isinstance(event, BackfillRequested):
            flows.learn(backfill_id, event.flow_group_id)
    return frozenset({LOG, f"backfill:{backfill_id}", flows.topic(backfill_id)})


def _run_topics(recorded: Recorded, run_id: str, flows: FlowsOfRuns) -> frozenset[str]:
    topics = {LOG, f"run:{run_id}"}
    for event in recorded.events:
        if isinstance(event, RunCreated):
            flows.learn(run_id, event.flow_group_id)
    if not all(isinstance(event, TaskRunEvent) for event in recorded.events):
        # Lists and counts show runs, not task runs: those are many, and wake only the run's own page.
        topics |= {RUNS, QUEUES, AGENTS, flows.topic(run_id)}
    return frozenset(topics)


class LastChanges:
    """The last position of each topic, as far as remembered. Knows nothing up to `since`."""

    def __init__(self, since: Position, most: int = TOPICS_REMEMBERED_MAX) -> None:
        self.since = since
        self._most = most
        self._last: OrderedDict[str, Position] = OrderedDict()

    def note(self, topics: frozenset[str], position: Position) -> None:
        for topic in topics:
            self._last[topic] = position
            self._last.move_to_end(topic)
        while len(self._last) > self._most:
            _, forgotten = self._last.popitem(last=False)
            self.since = max(self.since, forgotten)

    def last(self, topics: frozenset[str]) -> Position:
        """Return the last position that concerned any of the topics, 0 where none is remembered."""
        return max((self._last.get(topic, 0) for topic in topics), default=0)

    def changed(self, topics: frozenset[str], *, after: Position) -> bool:
        """Tell whether something about the topics happened, or may have happened, after this position."""
        return after < self.since or self.last(topics) > after
