"""The public path of what is in `headwater.sdk.language.flow_settings`."""

from __future__ import annotations

from headwater.sdk.language.flow_settings import (
    edges,
    environment,
    executor,
    name,
    parameters,
    result,
    run_config,
    schedule,
    several,
    storage,
    terminal_state_handler,
)

__all__ = [
    "edges",
    "environment",
    "executor",
    "name",
    "parameters",
    "result",
    "run_config",
    "schedule",
    "several",
    "storage",
    "terminal_state_handler",
]
