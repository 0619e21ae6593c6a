"""Random histories of projects, names, flow groups, queues and agents: no illegal transition, and `evolve` never fails on what came out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import hypothesis.strategies as st
from hypothesis import given, settings

from headwater.core import events as e
from headwater.core.agents import rules as agent
from headwater.core.agents.commands import LoseAgent, RegisterAgent, StopAgent
from headwater.core.errors import CommandRejected
from headwater.core.flows import rules as flow_group
from headwater.core.flows.commands import (
    ArchiveFlowVersion,
    DeleteFlow,
    DescribeFlow,
    RegisterFlow,
    SetFlowDefaultParameters,
    SetFlowLabels,
)
from headwater.core.log.codec import decode, encode
from headwater.core.log.commit import new_commit
from headwater.core.projects import rules as project
from headwater.core.projects.commands import ClaimName, CreateProject, DeleteProject, DescribeProject, ReleaseName, RenameProject
from headwater.core.projects.owned_name import NAME_RULES
from headwater.core.queues import rules as queue
from headwater.core.queues.commands import OpenQueue
from headwater.core.rules import Rules
from headwater.core.values.identifiers import flow_group_id, flow_version_id, new_id

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
PROJECT = new_id()
GROUP = flow_group_id(PROJECT, "flow")
names = st.sampled_from(["a", "b", "", "tab\t"])
owners = st.sampled_from([new_id(), new_id()])
random_histories = settings(max_examples=200, deadline=None)


def played(rules: Rules[Any, Any], commands: Sequence[Any]) -> tuple[Any, list[e.AnyEvent]]:
    """Perform the commands that the rules allow; check on the way that what was stored folds to the same state."""
    state: Any = rules.initial
    history: list[e.AnyEvent] = []
    for command in commands:
        try:
            events = rules.decide(state, command)
        except CommandRejected:
            continue
        state = rules.fold(events, state)
        history.extend(events)
        if events:
            assert rules.fold(decode(encode(new_commit(history, at=NOON, actor="test"))).events) == state
    return state, history


@given(
    st.lists(
        st.one_of(
            st.builds(CreateProject, st.just(PROJECT), names),
            st.builds(RenameProject, names),
            st.builds(DescribeProject, names),
            st.builds(DeleteProject),
        )
    )
)
@random_histories
def test_a_project_is_created_first_and_deleted_last(commands: list[Any]) -> None:
    state, history = played(project.RULES, commands)

    kinds = [type(event) for event in history]
    assert kinds.count(e.ProjectCreated) == (1 if kinds else 0)
    assert not kinds or kinds[0] is e.ProjectCreated
    assert e.ProjectDeleted not in kinds[:-1]
    assert state.exists is (bool(kinds) and kinds[-1] is not e.ProjectDeleted)


@given(st.lists(st.one_of(st.builds(ClaimName, st.just("project"), names, owners), st.builds(ReleaseName, owners))))
@random_histories
def test_a_name_is_claimed_and_released_in_turns_by_the_same_owner(commands: list[Any]) -> None:
    _, history = played(NAME_RULES, commands)

    for claimed, released in zip(history[::2], history[1::2], strict=False):
        assert isinstance(claimed, e.NameClaimed)
        assert isinstance(released, e.NameReleased)
        assert claimed.owner_id == released.owner_id


@given(
    st.lists(
        st.one_of(
            st.builds(
                RegisterFlow,
                flow_group_id=st.just(GROUP),
                project_id=st.just(PROJECT),
                name=st.just("flow"),
                storage=st.just(e.StorageReference(type="Local")),
                task_count=st.just(1),
                edge_count=st.just(0),
                parameters=st.sampled_from([(), (e.ParameterSpec("day", required=True),)]),
                labels=st.lists(st.sampled_from(["x", "y"])).map(tuple),
                idempotency_key=st.sampled_from([None, "k1", "k2"]),
            ),
            st.builds(ArchiveFlowVersion, st.integers(0, 4)),
            st.builds(DeleteFlow),
            st.builds(DescribeFlow, st.sampled_from(["", "loads it"])),
            st.builds(SetFlowLabels, st.sampled_from([None, (), ("y", "x"), ("tab\t",)])),
            st.builds(SetFlowDefaultParameters, st.sampled_from([{}, {"day": 1}, {"day": True}, {"other": 1}])),
        )
    )
)
@random_histories
def test_versions_count_up_one_at_most_takes_runs_and_its_id_leads_to_the_group(commands: list[Any]) -> None:
    state, history = played(flow_group.RULES, commands)

    registered = [event for event in history if isinstance(event, e.FlowRegistered)]
    assert [event.flow_version for event in registered] == list(range(1, len(registered) + 1))
    assert all(event.flow_id == flow_version_id(GROUP, event.flow_version) for event in registered)
    assert len(state.active) <= 1
    archived = [flow_id for event in registered for flow_id in event.archives]
    archived += [event.flow_id for event in history if isinstance(event, e.FlowVersionArchived)]
    assert len(set(archived)) == len(archived)


@given(st.lists(st.builds(OpenQueue, st.just(("a", "b")))))
@random_histories
def test_a_queue_opens_once(commands: list[Any]) -> None:
    _, history = played(queue.RULES, commands)

    assert len(history) == (1 if commands else 0)


@given(
    st.lists(
        st.one_of(
            st.builds(RegisterAgent, st.just("a"), names, st.just("local")),
            st.builds(StopAgent),
            st.builds(LoseAgent, st.just("silent")),
        )
    )
)
@random_histories
def test_an_agent_is_lost_only_while_it_works(commands: list[Any]) -> None:
    _, history = played(agent.RULES, commands)

    assert not history or isinstance(history[0], e.AgentRegistered)
    for before, after in itertools.pairwise(history):
        assert not isinstance(after, e.AgentLost) or isinstance(before, e.AgentRegistered)
        assert type(before) is not type(after)
