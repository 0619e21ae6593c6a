"""What each event makes of a project, a name, a flow, a queue, an agent, a key and slots, and that it leaves the rest."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from headwater.core.agents.rules import RULES as AGENT
from headwater.core.agents.state import Agent, AgentStatus
from headwater.core.events import (
    AgentLost,
    AgentRegistered,
    AgentStopped,
    AnyEvent,
    ConcurrencySet,
    FlowAttemptsLimited,
    FlowDefaultParametersSet,
    FlowDeleted,
    FlowDescribed,
    FlowLabelsSet,
    FlowRegistered,
    FlowVersionArchived,
    KeyValueDeleted,
    KeyValueSet,
    NameClaimed,
    NameReleased,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    ProjectRenamed,
    QueueLimitSet,
    QueueOpened,
    RunRenamed,
    SlotFreed,
    SlotTaken,
    StorageReference,
)
from headwater.core.flows.rules import RULES as FLOW
from headwater.core.flows.state import FlowGroup
from headwater.core.key_values.rules import RULES as KEY_VALUE
from headwater.core.key_values.state import KeyValue
from headwater.core.projects.owned_name import NAME_RULES, OwnedName
from headwater.core.projects.rules import RULES as PROJECT
from headwater.core.projects.state import Project
from headwater.core.queues.rules import RULES as QUEUE
from headwater.core.queues.state import Queue
from headwater.core.rules import Rules
from headwater.core.slots.rules import RULES as SLOTS
from headwater.core.slots.state import Slots

CREATED = ProjectCreated("p", "tutorial", "first steps")
REGISTERED = AgentRegistered("a", "mill", "local", ("gpu", "host"))
OPENED = QueueOpened("q", ("gpu",))
SET = KeyValueSet("p", "day", "monday")
CLAIMED = NameClaimed("project", "tutorial", "p")
OTHER_AGGREGATES = RunRenamed("x")

AGENT_ONLINE = Agent("a", "mill", ("gpu", "host"), AgentStatus.ONLINE)
PROJECT_THERE = Project("p", "tutorial", "first steps")


@pytest.mark.parametrize(
    ("rules", "events", "expected"),
    [
        (PROJECT, (CREATED,), PROJECT_THERE),
        (PROJECT, (CREATED, ProjectRenamed("lessons")), Project("p", "lessons", "first steps")),
        (PROJECT, (CREATED, ProjectDescribed("second steps")), Project("p", "tutorial", "second steps")),
        (PROJECT, (CREATED, ProjectDeleted()), Project("p", "tutorial", "first steps", deleted=True)),
        (PROJECT, (CREATED, OTHER_AGGREGATES), PROJECT_THERE),
        (NAME_RULES, (CLAIMED,), OwnedName("project", "tutorial", "p")),
        (NAME_RULES, (CLAIMED, NameReleased("project", "tutorial", "p")), OwnedName()),
        (NAME_RULES, (CLAIMED, OTHER_AGGREGATES), OwnedName("project", "tutorial", "p")),
        (AGENT, (REGISTERED,), AGENT_ONLINE),
        (AGENT, (REGISTERED, AgentStopped()), dataclasses.replace(AGENT_ONLINE, status=AgentStatus.STOPPED)),
        (AGENT, (REGISTERED, AgentLost()), dataclasses.replace(AGENT_ONLINE, status=AgentStatus.LOST)),
        (AGENT, (REGISTERED, OTHER_AGGREGATES), AGENT_ONLINE),
        (QUEUE, (OPENED,), Queue("q", ("gpu",))),
        (QUEUE, (OPENED, QueueLimitSet(2)), Queue("q", ("gpu",), 2)),
        (QUEUE, (OPENED, QueueLimitSet(2), QueueLimitSet(None)), Queue("q", ("gpu",))),
        (QUEUE, (OPENED, OTHER_AGGREGATES), Queue("q", ("gpu",))),
        (KEY_VALUE, (SET,), KeyValue("p", "day", "monday", exists=True)),
        (KEY_VALUE, (SET, KeyValueDeleted("p", "day")), KeyValue("p", "day")),
        (KEY_VALUE, (SET, OTHER_AGGREGATES), KeyValue("p", "day", "monday", exists=True)),
        (SLOTS, (SlotTaken("r", 1),), Slots(None, {"r": 1})),
        (SLOTS, (ConcurrencySet(2), SlotTaken("r", 1), SlotTaken("s", 2), SlotFreed("r")), Slots(2, {"s": 2})),
        (SLOTS, (ConcurrencySet(2), SlotTaken("r", 1), ConcurrencySet(3), OTHER_AGGREGATES), Slots(3, {"r": 1})),
    ],
)
def test_an_aggregate_is_what_its_events_make_of_it(rules: Rules[Any, Any], events: Sequence[AnyEvent], expected: object) -> None:
    assert rules.fold(events) == expected


def version(number: int, *archives: str) -> FlowRegistered:
    return FlowRegistered(
        flow_id=f"flow-{number}",
        flow_group_id="g",
        project_id="p",
        name="etl",
        flow_version=number,
        task_count=0,
        edge_count=0,
        storage=StorageReference("Local"),
        idempotency_key=f"key-{number}",
        archives=archives,
    )


FIRST, SECOND = version(1), version(2, "flow-1")
SETTINGS = (FlowAttemptsLimited(7), FlowDescribed("Loads."), FlowLabelsSet(("gpu",)), FlowDefaultParametersSet({"day": 1}))
GROUP = FlowGroup(
    flow_group_id="g",
    project_id="p",
    name="etl",
    versions={1: FIRST, 2: SECOND},
    active=frozenset({2}),
    idempotency_key="key-2",
    attempts_max=7,
    description="Loads.",
    labels=("gpu",),
    default_parameters={"day": 1},
)


@pytest.mark.parametrize(
    ("event", "changed"),
    [
        (OTHER_AGGREGATES, {}),
        (FlowVersionArchived("flow-2", 2), {"active": frozenset()}),
        (FlowDeleted(), {"active": frozenset(), "idempotency_key": None, "deleted": True}),
        (FlowAttemptsLimited(None), {"attempts_max": None}),
        (FlowDescribed(""), {"description": ""}),
        (FlowLabelsSet(None), {"labels": None}),
        (FlowDefaultParametersSet({}), {"default_parameters": {}}),
        (
            version(3, "flow-2"),
            {"versions": {1: FIRST, 2: SECOND, 3: version(3, "flow-2")}, "active": frozenset({3}), "idempotency_key": "key-3"},
        ),
        (
            version(3),
            {"versions": {1: FIRST, 2: SECOND, 3: version(3)}, "active": frozenset({2, 3}), "idempotency_key": "key-3"},
        ),
    ],
)
def test_each_event_changes_this_of_a_flow_and_leaves_the_rest(event: AnyEvent, changed: dict[str, Any]) -> None:
    assert FLOW.fold([FIRST, SECOND, *SETTINGS]) == GROUP
    assert FLOW.fold([FIRST, SECOND, *SETTINGS, event]) == dataclasses.replace(GROUP, **changed)


def test_a_flow_that_is_registered_again_is_deleted_no_more() -> None:
    again = FLOW.fold([FIRST, FlowDeleted(), version(2)])

    assert (again.deleted, again.active, again.latest) == (False, frozenset({2}), version(2))
    assert FLOW.fold([FIRST, FlowDeleted()]).latest is None


def test_the_latest_of_several_versions_that_take_runs_is_the_newest() -> None:
    both = FLOW.fold([FIRST, version(2)])

    assert (both.active, both.latest) == (frozenset({1, 2}), version(2))
