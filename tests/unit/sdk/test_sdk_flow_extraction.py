"""Flows out of files, texts and modules, with the values that Prefect 1.4.1 gives."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from headwater import Flow
from headwater.sdk.storage.errors import FlowNotInCode, FlowNotLoadable
from headwater.sdk.storage.extraction import extract_flow_from_file, extract_flow_from_module, flow_from_bytes
from headwater.sdk.storage.pickled import pickled

TWO_FLOWS = "from headwater import Flow\nfirst = Flow('flow-1')\nsecond = Flow('flow-2')\nfirst.register()\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "flows.py"
    path.write_text(TWO_FLOWS)
    return path


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("module_with_flows")
    monkeypatch.setitem(sys.modules, "module_with_flows", made)
    made.__dict__.update(flow=Flow("on top"), holder=SimpleNamespace(flow=Flow("held")), number=1, build=lambda: Flow("built"))
    return made


@pytest.mark.parametrize(("name", "expected"), [(None, "flow-1"), ("flow-1", "flow-1"), ("flow-2", "flow-2")])
def test_a_flow_of_a_file_or_text_is_the_first_or_the_named(file: Path, name: str | None, expected: str) -> None:
    assert extract_flow_from_file(file_path=file, flow_name=name).name == expected
    assert extract_flow_from_file(file_path=str(file), flow_name=name).name == expected
    assert extract_flow_from_file(file_contents=TWO_FLOWS, flow_name=name).name == expected
    assert extract_flow_from_file(file_contents=TWO_FLOWS.encode(), flow_name=name).name == expected


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: extract_flow_from_file(file_path="", file_contents=""), "but not both"),
        (extract_flow_from_file, "Provide either"),
        (lambda: extract_flow_from_file(file_contents=TWO_FLOWS, flow_name="not-real"), "Flow 'not-real' not found"),
        (lambda: extract_flow_from_file(file_contents=""), "No flows found"),
    ],
)
def test_what_cannot_be_extracted_from_a_file_is_refused(call: Callable[[], Flow], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call()


def test_a_flow_of_a_module_is_the_only_one_or_the_named(module: ModuleType) -> None:
    assert extract_flow_from_module("module_with_flows") is module.flow
    assert extract_flow_from_module("module_with_flows", "on top") is module.flow
    assert extract_flow_from_module("module_with_flows:flow", "on top") is module.flow
    assert extract_flow_from_module("module_with_flows:holder.flow") is module.holder.flow
    assert extract_flow_from_module("module_with_flows:build").name == "built"


@pytest.mark.parametrize(
    ("place", "name", "said"),
    [
        ("module_with_flows", "unknown", "'unknown' not found"),
        ("module_with_flows:flow", "another", "is named 'on top'"),
        ("module_with_flows:number", None, "is a int, not a flow"),
        ("module_with_flows:nothing", None, "Failed to find"),
        ("json", None, "No flows found"),
    ],
)
def test_what_cannot_be_extracted_from_a_module_is_refused(module: ModuleType, place: str, name: str | None, said: str) -> None:
    assert module.flow
    with pytest.raises(FlowNotInCode, match=said):
        extract_flow_from_module(place, name)


def test_what_is_something_else_is_a_type_error(module: ModuleType) -> None:
    assert module.number == 1
    with pytest.raises(TypeError, match="not a flow"):
        extract_flow_from_module("module_with_flows:number")


def test_a_flow_becomes_bytes_and_a_flow_again() -> None:
    assert flow_from_bytes(pickled(Flow("to and fro"))).name == "to and fro"
    with pytest.raises(FlowNotLoadable):
        flow_from_bytes(b"not a pickle")


def test_several_flows_of_a_module_want_a_name(module: ModuleType) -> None:
    module.__dict__["other"] = Flow("another")

    with pytest.raises(ValueError, match="Multiple flows found"):
        extract_flow_from_module("module_with_flows")
