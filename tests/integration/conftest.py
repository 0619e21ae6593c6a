"""Fixtures of integration tests: a home of the test's own, and a log with a project in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from harness.agent_harness import AgentHarness, agent_harness, hosted
from harness.servers import NatsNode


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of this test, for what runs in its process and in those it starts."""
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def harness_node(module_nats_node: NatsNode) -> NatsNode:
    """The broker of `harness`: the module's. A module whose tests end their broker has `nats_node` instead."""
    return module_nats_node


@pytest.fixture
async def harness(harness_node: NatsNode) -> AsyncIterator[AgentHarness]:
    """A log with a project in it."""
    async with hosted(agent_harness(harness_node.url)) as opened:
        yield opened
