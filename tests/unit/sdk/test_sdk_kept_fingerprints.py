"""A flow that is registered again with a later version of Headwater is the same flow: same fingerprints, same names of types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness.kept_fingerprints import FOLDER, PYTHON, described, flows

KEPT = sorted(FOLDER.glob("*.json"))


@pytest.fixture(params=KEPT, ids=lambda file: file.stem)
def kept(request: pytest.FixtureRequest) -> dict[str, Any]:
    file: Path = request.param
    told: dict[str, Any] = json.loads(file.read_text())
    if told["python"] != PYTHON:
        pytest.skip(f"these are of Python {told['python']}, which compiles code otherwise")
    flows_then: dict[str, Any] = told["flows"]
    return flows_then


def test_flows_register_as_what_they_registered_as_before(kept: dict[str, Any]) -> None:
    today = {flow.name: described(flow) for flow in flows()}

    assert len(today) > 30
    for name, description in kept.items():
        assert today[name] == description, name
