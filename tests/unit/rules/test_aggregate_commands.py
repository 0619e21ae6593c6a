"""What commands to projects, names, flows, queues, agents and slots lead to, and what they are refused with."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from harness.refusals import refusal

from headwater.core.agents.commands import LoseAgent, RegisterAgent, StopAgent
from headwater.core.agents.rules import RULES as AGENT
from headwater.core.errors import AlreadyExists, CommandRejected, InvalidArgument, InvalidName, InvalidParameters, NotFound, SlotsFull
from headwater.core.events import (
    AgentLost,
    AgentRegistered,
    AgentStopped,
    AnyEvent,
    ConcurrencySet,
    EdgeSpec,
    FlowAttemptsLimited,
    FlowDefaultParametersSet,
    FlowDeleted,
    FlowDescribed,
    FlowRegistered,
    FlowVersionArchived,
    NameClaimed,
    ParameterSpec,
    ProjectCreated,
    ProjectDeleted,
    ProjectDescribed,
    QueueLimitSet,
    QueueOpened,
    RegistrationParts,
    SlotFreed,
    SlotsAfter,
    SlotTaken,
    StorageReference,
    TaskSpec,
)
from headwater.core.flows.commands import (
    ArchiveFlowVersion,
    DeleteFlow,
    DescribeFlow,
    LimitFlowAttempts,
    RegisterFlow,
    SetFlowDefaultParameters,
)
from headwater.core.flows.rules import RULES as FLOW
from headwater.core.projects.commands import ClaimName, CreateProject, DeleteProject, DescribeProject, RenameProject
from headwater.core.projects.owned_name import NAME_RULES
from headwater.core.projects.rules import RULES as PROJECT
from headwater.core.queues.commands import LimitQueue, OpenQueue
from headwater.core.queues.rules import RULES as QUEUE
from headwater.core.rules import Rules
from headwater.core.slots.commands import FreeSlot, SetConcurrency, TakeSlot
from headwater.core.slots.rules import RULES as SLOTS
from headwater.core.values.identifiers import flow_group_id, flow_version_id
from headwater.core.values.labels import queue_id

GROUP = flow_group_id("p", "etl")
FLOW_1, FLOW_2, FLOW_3 = (flow_version_id(GROUP, number) for number in (1, 2, 3))
REGISTER = RegisterFlow(
    flow_group_id=GROUP,
    project_id="p",
    name="etl",
    storage=StorageReference("Local", "/flows/etl"),
    task_count=1,
    edge_count=2,
    tasks=(TaskSpec("load", "load"),),
    edges=(EdgeSpec("load", "store"),),
    parts=RegistrationParts("x", 1, "abc"),
    parameters=(ParameterSpec("limit", default=10),),
    labels=("b", "a", "b"),
    run_config={"type": "local"},
    schedule={"clocks": []},
    serialized_hash="hash",
    idempotency_key="key",
    environment={"python": "3.11"},
)
FIRST = FlowRegistered(
    flow_id=FLOW_1,
    flow_group_id=GROUP,
    project_id="p",
    name="etl",
    flow_version=1,
    task_count=1,
    edge_count=2,
    storage=StorageReference("Local", "/flows/etl"),
    tasks=(TaskSpec("load", "load"),),
    edges=(EdgeSpec("load", "store"),),
    parts=RegistrationParts("x", 1, "abc"),
    parameters=(ParameterSpec("limit", default=10),),
    labels=("a", "b"),
    run_config={"type": "local"},
    schedule={"clocks": []},
    serialized_hash="hash",
    idempotency_key="key",
    environment={"python": "3.11"},
)
PLAIN = dataclasses.replace(REGISTER, schedule=None, idempotency_key=None)
BARE = RegisterFlow(flow_group_id=GROUP, project_id="p", name="etl", storage=StorageReference("Local"), task_count=0, edge_count=0)
CREATED = ProjectCreated("p", "tutorial", "first")
AGENT_REGISTERED = AgentRegistered("a", "mill", "local", ("gpu", "host"), "here", 7, "1.0", 3)
REGISTER_AGENT = RegisterAgent("a", "mill", "local", ("host", "gpu", "host"), "here", 7, "1.0", 3)
GPU = queue_id(["gpu"])
OPENED = QueueOpened(GPU, ("gpu",))


def registered(version: int, *archives: str) -> FlowRegistered:
    """A version that BARE makes."""
    return FlowRegistered(
        flow_id=flow_version_id(GROUP, version),
        flow_group_id=GROUP,
        project_id="p",
        name="etl",
        flow_version=version,
        task_count=0,
        edge_count=0,
        storage=StorageReference("Local"),
        archives=archives,
    )


@pytest.mark.parametrize(
    ("rules", "history", "command", "events"),
    [
        (PROJECT, (), CreateProject("p", "tutorial", "first"), [CREATED]),
        (PROJECT, (CREATED,), CreateProject("p", "other"), []),
        (PROJECT, (CREATED, ProjectDeleted()), CreateProject("p", "tutorial"), []),
        (PROJECT, (CREATED,), DescribeProject("second"), [ProjectDescribed("second")]),
        (PROJECT, (CREATED,), DescribeProject("first"), []),
        (PROJECT, (CREATED,), DeleteProject(), [ProjectDeleted()]),
        (AGENT, (), REGISTER_AGENT, [AGENT_REGISTERED]),
        (AGENT, (AGENT_REGISTERED, AgentLost()), REGISTER_AGENT, [AGENT_REGISTERED]),
        (AGENT, (AGENT_REGISTERED,), StopAgent("done"), [AgentStopped("done")]),
        (AGENT, (AGENT_REGISTERED, AgentLost()), StopAgent("done"), [AgentStopped("done")]),
        (AGENT, (AGENT_REGISTERED, AgentStopped()), StopAgent("again"), []),
        (AGENT, (AGENT_REGISTERED, AgentLost("silent")), LoseAgent("silent"), []),
        (QUEUE, (), LimitQueue(("gpu",), 1), [OPENED, QueueLimitSet(1)]),
        (QUEUE, (), LimitQueue(("gpu",), None), [OPENED]),
        (QUEUE, (OPENED,), LimitQueue(("gpu",), 2), [QueueLimitSet(2)]),
        (QUEUE, (OPENED, QueueLimitSet(2)), LimitQueue(("gpu",), 2), []),
        (QUEUE, (OPENED, QueueLimitSet(2)), LimitQueue(("gpu",), None), [QueueLimitSet(None)]),
        (QUEUE, (OPENED, QueueLimitSet(2)), OpenQueue(("gpu",)), []),
        (SLOTS, (), SetConcurrency(1), [ConcurrencySet(1, SlotsAfter(1, {}))]),
        (SLOTS, (ConcurrencySet(1),), SetConcurrency(1), []),
        (SLOTS, (ConcurrencySet(1),), SetConcurrency(None), [ConcurrencySet(None, SlotsAfter(None, {}))]),
        (SLOTS, (), SetConcurrency(None), []),
        (SLOTS, (ConcurrencySet(2), SlotTaken("r", 1)), TakeSlot("s", 1), [SlotTaken("s", 1, SlotsAfter(2, {"r": 1, "s": 1}))]),
        (SLOTS, (ConcurrencySet(1), SlotTaken("r", 1)), FreeSlot("r", 1), [SlotFreed("r", SlotsAfter(1, {}))]),
        (FLOW, (), REGISTER, [FIRST]),
        (FLOW, (registered(1), registered(2)), BARE, [registered(3, FLOW_1, FLOW_2)]),
        (FLOW, (registered(1), registered(2, FLOW_1)), ArchiveFlowVersion(2), [FlowVersionArchived(FLOW_2, 2)]),
        (FLOW, (registered(1), registered(2, FLOW_1)), ArchiveFlowVersion(1), []),
        (FLOW, (FIRST, FlowDeleted("old")), DeleteFlow("again"), []),
        (FLOW, (FIRST,), LimitFlowAttempts(1), [FlowAttemptsLimited(1)]),
        (FLOW, (FIRST, FlowAttemptsLimited(1)), LimitFlowAttempts(1), []),
        (FLOW, (FIRST, FlowAttemptsLimited(1)), LimitFlowAttempts(None), [FlowAttemptsLimited(None)]),
        (FLOW, (FIRST,), DescribeFlow("Loads."), [FlowDescribed("Loads.")]),
        (
            FLOW,
            (FIRST, FlowDefaultParametersSet({"limit": {"a": 1, "b": 2}})),
            SetFlowDefaultParameters({"limit": {"b": 2, "a": 1}}),
            [],
        ),
    ],
)
def test_a_command_leads_to_these_events(
    rules: Rules[Any, Any], history: Sequence[AnyEvent], command: object, events: list[AnyEvent]
) -> None:
    assert list(rules.decide(rules.fold(history), command)) == events


UNUSABLE_NAME = "The name of a {} cannot be empty."
VISIBLE = "Give it at least one visible character."
NEEDS_DEFAULTS = "Scheduled runs get no parameters from people: give each a default, or take the schedule off."
REQUIRED = (ParameterSpec("day", required=True), ParameterSpec("limit"), ParameterSpec("hour", required=True))


@pytest.mark.parametrize(
    ("rules", "history", "command", "refused_with"),
    [
        (PROJECT, (), CreateProject("p", ""), (InvalidName, UNUSABLE_NAME.format("project"), VISIBLE)),
        (PROJECT, (CREATED,), RenameProject(""), (InvalidName, UNUSABLE_NAME.format("project"), VISIBLE)),
        (PROJECT, (), RenameProject("x"), (NotFound, "Project '' not found.", None)),
        (PROJECT, (), DeleteProject(), (NotFound, "Project '' not found.", None)),
        (PROJECT, (CREATED, ProjectDeleted()), DescribeProject("x"), (NotFound, "Project 'tutorial' not found.", None)),
        (
            NAME_RULES,
            (NameClaimed("project", "tutorial", "p"),),
            ClaimName("project", "tutorial", "q"),
            (AlreadyExists, "Project 'tutorial' already exists.", None),
        ),
        (AGENT, (), RegisterAgent("a", "", "local"), (InvalidName, UNUSABLE_NAME.format("agent"), VISIBLE)),
        (AGENT, (), StopAgent(), (NotFound, "Agent '' not found.", None)),
        (
            QUEUE,
            (OPENED,),
            LimitQueue(("gpu",), 0),
            (InvalidArgument, "A limit must be at least 1, not 0.", "`none` takes the limit away."),
        ),
        (SLOTS, (), SetConcurrency(0), (InvalidArgument, "A flow's limit must be at least 1, not 0.", "`none` takes the limit away.")),
        (SLOTS, (ConcurrencySet(1), SlotTaken("r", 1)), TakeSlot("s", 1), (SlotsFull, "The flow's limit of 1 is reached.", None)),
        (FLOW, (), DeleteFlow(), (NotFound, "Flow '' not found.", None)),
        (FLOW, (FIRST,), ArchiveFlowVersion(7), (NotFound, "Flow version '7' not found.", None)),
        (FLOW, (FIRST,), LimitFlowAttempts(0), (InvalidArgument, "At least 1 attempt must be made, not 0.", None)),
        (FLOW, (), dataclasses.replace(PLAIN, name=""), (InvalidName, UNUSABLE_NAME.format("flow"), VISIBLE)),
        (
            FLOW,
            (registered(1),),
            SetFlowDefaultParameters({"day": 1}),
            (InvalidParameters, "Version 1 of flow 'etl' has no parameter 'day'.", "It takes none."),
        ),
        (
            FLOW,
            (registered(1), registered(2), FlowVersionArchived(FLOW_2, 2)),
            SetFlowDefaultParameters({"day": 1}),
            (InvalidParameters, "Version 1 of flow 'etl' has no parameter 'day'.", "It takes none."),
        ),
        (
            FLOW,
            (FIRST, registered(2), FlowDeleted()),
            SetFlowDefaultParameters({"limit": 1, "day": 1}),
            (InvalidParameters, "Version 2 of flow 'etl' has no parameter 'limit'.", "It takes none."),
        ),
        (
            FLOW,
            (),
            dataclasses.replace(BARE, parameters=REQUIRED, schedule={"clocks": [{}]}),
            (InvalidArgument, "The flow has a schedule, but its parameters 'day', 'hour' have no default.", NEEDS_DEFAULTS),
        ),
        (
            FLOW,
            (),
            dataclasses.replace(
                BARE,
                parameters=REQUIRED,
                schedule={"clocks": [{"parameter_defaults": {"day": 1, "hour": 1}}, {"parameter_defaults": {"hour": 2}}]},
            ),
            (InvalidArgument, "The flow has a schedule, but its parameters 'day' have no default.", NEEDS_DEFAULTS),
        ),
    ],
)
def test_a_refusal_says_why_and_what_to_do_instead(
    rules: Rules[Any, Any], history: Sequence[AnyEvent], command: object, refused_with: tuple[type[CommandRejected], str, str | None]
) -> None:
    assert refusal(rules, rules.fold(history), command) == refused_with


def test_a_schedule_whose_clocks_all_give_a_parameter_needs_no_default_for_it() -> None:
    clock = {"parameter_defaults": {"day": None, "hour": 1}}
    scheduled = dataclasses.replace(BARE, parameters=REQUIRED, schedule={"clocks": [clock, clock]})

    (made,) = FLOW.decide(FLOW.initial, scheduled)

    assert isinstance(made, FlowRegistered)
    assert made.schedule == {"clocks": [clock, clock]}


def test_without_a_schedule_a_parameter_may_be_left_open() -> None:
    assert len(FLOW.decide(FLOW.initial, dataclasses.replace(BARE, parameters=REQUIRED))) == 1
