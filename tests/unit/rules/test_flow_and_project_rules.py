"""The rules of projects, names, flow groups, queues and agents, in events."""

from __future__ import annotations

import dataclasses

import pytest

from headwater.core.agents import rules as agent
from headwater.core.agents.commands import LoseAgent, RegisterAgent, StopAgent
from headwater.core.errors import AlreadyExists, InvalidArgument, InvalidName, NotFound
from headwater.core.events import (
    AgentLost,
    AgentRegistered,
    AgentStopped,
    FlowDeleted,
    FlowRegistered,
    FlowVersionArchived,
    NameClaimed,
    NameReleased,
    ParameterSpec,
    ProjectCreated,
    ProjectDeleted,
    ProjectRenamed,
    QueueOpened,
    StorageReference,
)
from headwater.core.flows import rules as flow_group
from headwater.core.flows.commands import ArchiveFlowVersion, DeleteFlow, RegisterFlow
from headwater.core.projects import rules as project
from headwater.core.projects.commands import ClaimName, CreateProject, DeleteProject, ReleaseName, RenameProject
from headwater.core.projects.owned_name import NAME_RULES
from headwater.core.queues import rules as queue
from headwater.core.queues.commands import OpenQueue
from headwater.core.values.identifiers import flow_group_id, flow_version_id, split_flow_id
from headwater.core.values.labels import queue_id

GROUP = flow_group_id("p", "hello-flow")
REGISTER = RegisterFlow(
    flow_group_id=GROUP, project_id="p", name="hello-flow", storage=StorageReference(type="Local"), task_count=1, edge_count=0
)


def registered(version: int, *, key: str | None = None, archives: tuple[str, ...] = ()) -> FlowRegistered:
    return FlowRegistered(
        flow_id=flow_version_id(GROUP, version),
        flow_group_id=GROUP,
        project_id="p",
        name="hello-flow",
        flow_version=version,
        task_count=1,
        edge_count=0,
        storage=StorageReference(type="Local"),
        idempotency_key=key,
        archives=archives,
    )


def test_a_project_is_created_once() -> None:
    command = CreateProject("p", "Hello, World!", "first")

    assert project.RULES.decide(project.RULES.initial, command) == [ProjectCreated("p", "Hello, World!", "first")]
    assert project.RULES.decide(project.RULES.fold([ProjectCreated("p", "Hello, World!")]), command) == []


@pytest.mark.parametrize("name", ["", "   ", "a\nb", "tab\there", "x" * 256, "\x00", "\u2028"])
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        project.RULES.decide(project.RULES.initial, CreateProject("p", name))


def test_a_deleted_project_cannot_be_renamed_and_deleting_it_again_changes_nothing() -> None:
    gone = project.RULES.fold([ProjectCreated("p", "tutorial"), ProjectDeleted()])

    with pytest.raises(NotFound):
        project.RULES.decide(gone, RenameProject("x"))
    assert project.RULES.decide(gone, DeleteProject()) == []


def test_renaming_a_project_to_its_own_name_changes_nothing() -> None:
    there = project.RULES.fold([ProjectCreated("p", "tutorial")])

    assert project.RULES.decide(there, RenameProject("tutorial")) == []
    assert project.RULES.decide(there, RenameProject("lessons")) == [ProjectRenamed("lessons")]


def test_a_name_has_one_owner_until_it_is_released() -> None:
    claimed = NameClaimed("project", "tutorial", "p1")
    owned = NAME_RULES.fold([claimed])

    assert NAME_RULES.decide(NAME_RULES.initial, ClaimName("project", "tutorial", "p1")) == [claimed]
    assert NAME_RULES.decide(owned, ClaimName("project", "tutorial", "p1")) == []
    with pytest.raises(AlreadyExists) as taken:
        NAME_RULES.decide(owned, ClaimName("project", "tutorial", "p2"))
    assert taken.value.existing_id == "p1"
    assert NAME_RULES.decide(owned, ReleaseName("p2")) == []
    assert NAME_RULES.decide(owned, ReleaseName("p1")) == [NameReleased("project", "tutorial", "p1")]


def test_each_registration_makes_a_version_and_archives_the_active_one() -> None:
    first = registered(1)
    second = registered(2, archives=(first.flow_id,))

    assert flow_group.RULES.decide(flow_group.RULES.initial, REGISTER) == [first]
    assert flow_group.RULES.decide(flow_group.RULES.fold([first]), REGISTER) == [second]
    both = flow_group.RULES.fold([first, second])
    assert both.active == {2}
    assert both.latest == second


def test_the_same_key_as_the_last_registration_changes_nothing() -> None:
    keyed = dataclasses.replace(REGISTER, idempotency_key="k")
    once = flow_group.RULES.fold([registered(1, key="k")])

    assert flow_group.RULES.decide(once, keyed) == []
    assert len(flow_group.RULES.decide(once, dataclasses.replace(REGISTER, idempotency_key="other"))) == 1


def test_only_the_most_recent_key_counts() -> None:
    twice = flow_group.RULES.fold([registered(1, key="k"), registered(2, key=None)])

    assert len(flow_group.RULES.decide(twice, dataclasses.replace(REGISTER, idempotency_key="k"))) == 1


def test_the_same_key_registers_again_where_the_version_was_archived_or_the_flow_deleted() -> None:
    keyed = dataclasses.replace(REGISTER, idempotency_key="k")
    once = registered(1, key="k")

    for end in (FlowVersionArchived(once.flow_id, 1), FlowDeleted()):
        (again,) = flow_group.RULES.decide(flow_group.RULES.fold([once, end]), keyed)
        assert isinstance(again, FlowRegistered)
        assert again.flow_version == 2


def test_a_schedule_needs_a_default_for_every_parameter() -> None:
    scheduled = dataclasses.replace(REGISTER, schedule={"cron": "* * * * *"}, parameters=(ParameterSpec("x", required=True),))

    with pytest.raises(InvalidArgument, match="'x'"):
        flow_group.RULES.decide(flow_group.RULES.initial, scheduled)


def test_archiving_and_deleting_are_recorded_once() -> None:
    once = flow_group.RULES.fold([registered(1)])
    archived = FlowVersionArchived(flow_version_id(GROUP, 1), 1)

    assert flow_group.RULES.decide(once, ArchiveFlowVersion(1)) == [archived]
    assert flow_group.RULES.decide(flow_group.RULES.fold([registered(1), archived]), ArchiveFlowVersion(1)) == []
    assert flow_group.RULES.decide(once, DeleteFlow("old")) == [FlowDeleted("old")]
    with pytest.raises(NotFound):
        flow_group.RULES.decide(once, ArchiveFlowVersion(7))


def test_a_version_id_leads_to_its_group() -> None:
    assert split_flow_id(flow_version_id(GROUP, 3)) == (GROUP, 3)
    assert split_flow_id(GROUP) == (GROUP, 0)
    for other in ("nonsense", "0190a0a0-0000-7000-8000-000000000000"):
        with pytest.raises(InvalidArgument):
            split_flow_id(other)


def test_a_queue_opens_once_per_label_set_in_any_order() -> None:
    (opened,) = queue.RULES.decide(queue.RULES.initial, OpenQueue(("b", "a")))

    assert opened == QueueOpened(queue_id(["a", "b"]), ("a", "b"))
    assert queue.RULES.decide(queue.RULES.fold([opened]), OpenQueue(("a", "b"))) == []


def test_an_agent_registers_then_stops_or_is_lost() -> None:
    register = RegisterAgent("a", "LocalAgent", "local", labels=("host",))
    (event,) = agent.RULES.decide(agent.RULES.initial, register)
    working = agent.RULES.fold([event])

    assert isinstance(event, AgentRegistered)
    assert agent.RULES.decide(working, register) == []
    assert agent.RULES.decide(working, StopAgent()) == [AgentStopped()]
    assert agent.RULES.decide(working, LoseAgent("silent")) == [AgentLost("silent")]
    assert agent.RULES.decide(agent.RULES.fold([event, AgentStopped()]), LoseAgent("silent")) == []
    with pytest.raises(NotFound):
        agent.RULES.decide(agent.RULES.initial, StopAgent())
