"""Flows that wait until a test lets them go on."""

from __future__ import annotations

import time
from pathlib import Path

from headwater import Flow, Task, task


def gate_task(gate: Path) -> Task:
    """A task that ends when the file is there."""

    @task
    def wait_at_gate() -> None:
        while not gate.exists():
            time.sleep(0.01)

    return wait_at_gate


def gated_flow(gate: Path) -> Flow:
    """A flow of that one task."""
    return Flow("gated-flow", tasks=[gate_task(gate)])
