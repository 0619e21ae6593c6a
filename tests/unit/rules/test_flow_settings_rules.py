"""The rules of what holds for a flow over all its versions, in events."""

from __future__ import annotations

import dataclasses

import pytest

from headwater.core.errors import InvalidArgument, InvalidName, InvalidParameters, NotFound
from headwater.core.events import (
    AnyEvent,
    FlowDefaultParametersSet,
    FlowDescribed,
    FlowLabelsSet,
    ParameterSpec,
    StorageReference,
)
from headwater.core.flows.commands import DeleteFlow, DescribeFlow, RegisterFlow, SetFlowDefaultParameters, SetFlowLabels
from headwater.core.flows.rules import RULES
from headwater.core.flows.state import FlowGroup
from headwater.core.values.identifiers import flow_group_id

GROUP = flow_group_id("p", "etl")
REGISTER = RegisterFlow(
    flow_group_id=GROUP,
    project_id="p",
    name="etl",
    storage=StorageReference(type="Local"),
    task_count=0,
    edge_count=0,
    parameters=(ParameterSpec("day", required=True), ParameterSpec("limit", default=10)),
    labels=("laptop",),
)


def registered(*events: AnyEvent) -> FlowGroup:
    return RULES.fold([*RULES.decide(RULES.initial, REGISTER), *events])


@pytest.mark.parametrize("command", [DescribeFlow("x"), SetFlowLabels(()), SetFlowDefaultParameters({})])
def test_a_flow_that_is_not_there_has_no_settings(command: DescribeFlow | SetFlowLabels | SetFlowDefaultParameters) -> None:
    with pytest.raises(NotFound):
        RULES.decide(RULES.initial, command)


def test_settings_are_kept_by_the_next_version_and_by_a_deleted_flow_that_comes_back() -> None:
    settings = (FlowDescribed("Loads."), FlowLabelsSet(("gpu",)), FlowDefaultParametersSet({"day": "today"}))
    group = registered(*settings)
    deleted = RULES.fold(RULES.decide(group, DeleteFlow()), group)

    for before in (group, deleted):
        after = RULES.fold(RULES.decide(before, REGISTER), before)
        assert (after.description, after.labels, after.default_parameters) == ("Loads.", ("gpu",), {"day": "today"})
        assert not after.deleted


def test_labels_are_a_set_and_none_is_not_the_same_as_no_labels() -> None:
    assert RULES.decide(registered(), SetFlowLabels(("b", "a", "b"))) == [FlowLabelsSet(("a", "b"))]
    assert RULES.decide(registered(), SetFlowLabels(())) == [FlowLabelsSet(())]
    assert RULES.decide(registered(), SetFlowLabels(None)) == []
    assert RULES.decide(registered(FlowLabelsSet(())), SetFlowLabels(None)) == [FlowLabelsSet(None)]
    with pytest.raises(InvalidName):
        RULES.decide(registered(), SetFlowLabels(("",)))


def test_what_holds_already_is_not_an_event() -> None:
    group = registered(FlowDescribed("x"), FlowLabelsSet(("a",)), FlowDefaultParametersSet({"limit": 1}))

    assert RULES.decide(group, DescribeFlow("x")) == []
    assert RULES.decide(group, SetFlowLabels(("a", "a"))) == []
    assert RULES.decide(group, SetFlowDefaultParameters({"limit": 1})) == []
    assert RULES.decide(group, SetFlowDefaultParameters({"limit": True})) == [FlowDefaultParametersSet({"limit": True})]


def test_a_default_for_an_unknown_parameter_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidParameters, match="Version 1 of flow 'etl' has no parameter 'dya'") as refused:
        RULES.decide(registered(), SetFlowDefaultParameters({"dya": 1}))

    assert refused.value.hint == "It takes: day, limit."


def test_a_default_whose_parameter_a_later_version_lost_may_stay() -> None:
    group = registered(FlowDefaultParametersSet({"limit": 1}))
    group = RULES.fold(RULES.decide(group, dataclasses.replace(REGISTER, parameters=(ParameterSpec("day"),))), group)

    assert RULES.decide(group, SetFlowDefaultParameters({"limit": 1, "day": 2})) == [FlowDefaultParametersSet({"limit": 1, "day": 2})]


def test_a_default_gives_scheduled_runs_what_they_need() -> None:
    scheduled = dataclasses.replace(REGISTER, schedule={"clocks": [{}]})

    with pytest.raises(InvalidArgument, match="'day'"):
        RULES.decide(registered(), scheduled)
    assert len(RULES.decide(registered(FlowDefaultParametersSet({"day": 1})), scheduled)) == 1
