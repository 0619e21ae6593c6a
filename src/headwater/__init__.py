"""Headwater: workflows whose every state change is an event you can read, replay and trust after a crash."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from headwater.old_path_finder import OldPathFinder, attribute
from headwater.old_paths import ROOMS
from headwater.outside import outside

if TYPE_CHECKING:
    from headwater import backend as backend
    from headwater import client as client
    from headwater import engine as engine
    from headwater import environments as environments
    from headwater import executors as executors
    from headwater import graph as graph
    from headwater import run_configs as run_configs
    from headwater import schedules as schedules
    from headwater import storage as storage
    from headwater import tasks as tasks
    from headwater import triggers as triggers
    from headwater import utilities as utilities
    from headwater.client import Client
    from headwater.graph.flow import Flow
    from headwater.graph.task import Task
    from headwater.tasks.control_flow.case import case
    from headwater.tasks.control_flow.conditional import ifelse, merge, switch
    from headwater.tasks.core.parameter import DateTimeParameter, Parameter
    from headwater.tasks.core.resource_manager import resource_manager
    from headwater.utilities.configuration import config
    from headwater.utilities.context import context
    from headwater.utilities.edges import flatten, mapped, unmapped
    from headwater.utilities.tasks import apply_map, pause_task, tags, task

    __version__: str

__all__ = [
    "Client",
    "DateTimeParameter",
    "Flow",
    "Parameter",
    "Task",
    "apply_map",
    "case",
    "config",
    "context",
    "flatten",
    "ifelse",
    "mapped",
    "merge",
    "pause_task",
    "resource_manager",
    "switch",
    "tags",
    "task",
    "unmapped",
]

# Where each public name lives. They are imported when they are first used, so that `import headwater` costs nothing.
_HOMES = {
    "Client": "headwater.client",
    "DateTimeParameter": "headwater.tasks.core.parameter",
    "Flow": "headwater.graph.flow",
    "Parameter": "headwater.tasks.core.parameter",
    "Task": "headwater.graph.task",
    "apply_map": "headwater.utilities.tasks",
    "case": "headwater.tasks.control_flow",
    "config": "headwater.utilities.configuration",
    "context": "headwater.utilities.context",
    "flatten": "headwater.utilities.edges",
    "ifelse": "headwater.tasks.control_flow",
    "mapped": "headwater.utilities.edges",
    "merge": "headwater.tasks.control_flow",
    "pause_task": "headwater.utilities.tasks",
    "resource_manager": "headwater.tasks.core.resource_manager",
    "switch": "headwater.tasks.control_flow",
    "tags": "headwater.utilities.tasks",
    "task": "headwater.utilities.tasks",
    "unmapped": "headwater.utilities.edges",
}


if not TYPE_CHECKING:  # a type checker knows the names above, and says so where one is misspelt

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from importlib.metadata import version

            return version("headwater")
        home = _HOMES.get(name)
        if home is None:
            return attribute("headwater", name)
        import importlib

        value = getattr(importlib.import_module(home), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *ROOMS})


def _register(flow: Flow, **settings: Any) -> str:
    from headwater.client.registration import register_flow

    return register_flow(flow, **settings)


def _run_agent(flow: Flow, **settings: Any) -> None:
    from headwater.agents.local import run_agent_for_flow

    run_agent_for_flow(flow, **settings)


def _name_action(action: Any) -> str:
    from headwater.action_names import call_of

    return call_of(action)


# What flows do by rooms that they must not know: this package alone knows all rooms. Imported when it is done, and not before.
outside.register, outside.run_agent, outside.name_action = _register, _run_agent, _name_action

if not any(isinstance(each, OldPathFinder) for each in sys.meta_path):
    sys.meta_path.insert(0, OldPathFinder())
