"""What the tests of the flow language share: time that jumps, a home of their own, quiet loggers where lines do not matter."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow
from headwater.sdk.context.configuration import config
from headwater.sdk.engine.flow_runner import FlowRunner
from headwater.sdk.states.state import State


class JumpingClock:
    """Time that stands still until a task waits; then it jumps. `waits` are the seconds of each wait."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 12, tzinfo=UTC)
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.time

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def run(clock: JumpingClock) -> Callable[..., State]:
    """Run a flow on jumping time."""

    def run_flow(flow: Flow, parameters: dict[str, Any] | None = None, **settings: Any) -> State:
        flow.validate()
        return FlowRunner(flow, clock=clock, **settings).run(parameters)

    return run_flow


@pytest.fixture(autouse=True)
def import_path_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading a file makes its folder importable; the next test must not find it so."""
    monkeypatch.setattr(sys, "path", list(sys.path))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory of this test's own, and a configuration that is read from there."""
    monkeypatch.setenv("HEADWATER_HOME", str(tmp_path / "home"))
    config.reload()
    yield tmp_path / "home"
    config.reload()
