"""Headwater: workflows whose every state change is an event you can read, replay and trust after a crash."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from headwater.old_path_finder import OldPathFinder, attribute
from headwater.old_paths import ROOMS
from headwater.outside import outside

if TYPE_CHECKING:
    from pathlib import Path

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
    from headwater.outside import Setting
    from headwater.sdk.client import Client
    from headwater.sdk.context.configuration import config
    from headwater.sdk.context.context import context
    from headwater.sdk.language.annotations import flatten, mapped, unmapped
    from headwater.sdk.language.case import case
    from headwater.sdk.language.conditional import ifelse, merge, switch
    from headwater.sdk.language.decorators import apply_map, pause_task, tags, task
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.language.parameter import DateTimeParameter, Parameter
    from headwater.sdk.language.resource_manager import resource_manager
    from headwater.sdk.language.task import Task
    from headwater.sdk.states.state import State

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
    "Client": "headwater.sdk.client",
    "DateTimeParameter": "headwater.sdk.language.parameter",
    "Flow": "headwater.sdk.language.flow",
    "Parameter": "headwater.sdk.language.parameter",
    "Task": "headwater.sdk.language.task",
    "apply_map": "headwater.sdk.language.decorators",
    "case": "headwater.sdk.language.case",
    "config": "headwater.sdk.context.configuration",
    "context": "headwater.sdk.context.context",
    "flatten": "headwater.sdk.language.annotations",
    "ifelse": "headwater.sdk.language.conditional",
    "mapped": "headwater.sdk.language.annotations",
    "merge": "headwater.sdk.language.conditional",
    "pause_task": "headwater.sdk.language.decorators",
    "resource_manager": "headwater.sdk.language.resource_manager",
    "switch": "headwater.sdk.language.conditional",
    "tags": "headwater.sdk.language.decorators",
    "task": "headwater.sdk.language.decorators",
    "unmapped": "headwater.sdk.language.annotations",
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


def _run(flow: Flow, *args: Any, **settings: Any) -> State:
    from headwater.sdk.engine.local_run import run_locally

    return run_locally(flow, *args, **settings)


def _save(flow: Flow, path: Path | None) -> Path:
    from headwater.sdk.storage.pickled import save_flow

    return save_flow(flow, path)


def _load(path: Path | str) -> Flow:
    from headwater.sdk.storage.pickled import load_saved_flow

    return load_saved_flow(path)


def _kind_of(setting: Setting) -> type:
    if setting == "executor":
        from headwater.sdk.executors.base import Executor

        return Executor
    if setting == "storage":
        from headwater.sdk.storage.base import Storage

        return Storage
    from headwater.sdk.environments.base import Environment

    return Environment


def _register(flow: Flow, **settings: Any) -> str:
    from headwater.sdk.client.script_registration import register_flow

    return register_flow(flow, **settings)


def _run_agent(flow: Flow, **settings: Any) -> None:
    from headwater.agents.local import run_agent_for_flow

    run_agent_for_flow(flow, **settings)


def _name_action(action: Any) -> str:
    from headwater.action_names import call_of

    return call_of(action)


# What flows do by rooms that they must not know: this package alone knows all rooms. Imported when it is done, and not before.
outside.run, outside.save, outside.load = _run, _save, _load
outside.register, outside.run_agent, outside.kind_of = _register, _run_agent, _kind_of
outside.name_action = _name_action

if not any(isinstance(each, OldPathFinder) for each in sys.meta_path):
    sys.meta_path.insert(0, OldPathFinder())
