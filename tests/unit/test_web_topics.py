"""Which pages a commit wakes, and what is remembered of changes."""

from __future__ import annotations

from collections.abc import Sequence

from harness.commits import AT

from headwater.core.events import AnyEvent, RunCreated, RunStarted, RunSubmitted, StorageReference, TaskRunStarted
from headwater.core.log import subjects
from headwater.core.log.codec import encode
from headwater.core.log.commit import new_commit
from headwater.core.log.protocol import Recorded
from headwater.core.values.identifiers import new_id
from headwater.web.live.topics import ANY_FLOW, FlowsOfRuns, LastChanges, topics_of

RUN, GROUP = new_id(), new_id()


def _recorded(subject: str, events: Sequence[AnyEvent] = (), *, data: bytes | None = None) -> Recorded:
    return Recorded(7, subject, AT, encode(new_commit(events, at=AT, actor="test")) if data is None else data)


def _created(run_id: str, group: str) -> RunCreated:
    return RunCreated(run_id, new_id(), group, new_id(), "tutorial", "hello", 1, "name", "queue", StorageReference("Local"))


def test_what_happens_to_a_run_wakes_lists_and_its_flows_pages() -> None:
    flows = FlowsOfRuns()
    topics_of(_recorded(subjects.run(RUN), [_created(RUN, GROUP)]), flows)

    assert topics_of(_recorded(subjects.run(RUN), [RunSubmitted(1, "a")]), flows) >= {
        f"run:{RUN}",
        "runs",
        f"flow:{GROUP}",
        "agents",
        "queues",
        "log",
    }
    assert ANY_FLOW in topics_of(_recorded(subjects.run(new_id()), [RunStarted(1, AT)]), flows)


def test_what_happens_to_task_runs_wakes_their_runs_page_alone() -> None:
    event = TaskRunStarted(slug="task-1", at=AT)

    assert topics_of(_recorded(subjects.run(RUN), [event, event]), FlowsOfRuns()) == {f"run:{RUN}", "log"}


def test_what_cannot_be_read_wakes_what_its_subject_names() -> None:
    assert topics_of(_recorded(subjects.run(RUN), data=b"garbage"), FlowsOfRuns()) == {f"run:{RUN}", "log"}
    assert topics_of(_recorded("hw.evt.of.the.future"), FlowsOfRuns()) == {"log"}


def test_only_so_many_runs_are_remembered() -> None:
    flows = FlowsOfRuns(most=2)
    for number in range(3):
        flows.learn(f"r{number}", GROUP)

    assert [flows.topic(f"r{number}") for number in range(3)] == [ANY_FLOW, f"flow:{GROUP}", f"flow:{GROUP}"]


def test_what_changed_after_a_position_is_known_and_what_was_forgotten_may_have() -> None:
    changes = LastChanges(since=10, most=2)
    changes.note(frozenset({"a"}), 11)
    changes.note(frozenset({"b"}), 12)

    assert changes.changed(frozenset({"a"}), after=10)
    assert not changes.changed(frozenset({"a"}), after=11)
    assert not changes.changed(frozenset({"c"}), after=11)
    assert changes.changed(frozenset({"c"}), after=9)
    changes.note(frozenset({"d"}), 13)
    assert changes.changed(frozenset({"a"}), after=10)
    assert not changes.changed(frozenset({"a"}), after=11)
