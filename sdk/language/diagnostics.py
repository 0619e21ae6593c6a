"""What one wants to know of a flow and its surroundings when something goes wrong: names, versions and settings, no values."""

from __future__ import annotations

import json
import os
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from headwater.sdk.context.configuration import DEFAULTS, config

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def system_information() -> dict[str, Any]:
    """Return versions, and the platform."""
    return {
        "system_information": {
            "headwater_version": version("headwater"),
            "platform": platform.platform(),
            "python_version": platform.python_version(),
            "executable": sys.executable,
        }
    }


def config_overrides(include_secret_names: bool = False) -> dict[str, Any]:
    """Return which values of the configuration are not the defaults: their names with True, never the values."""
    # Where the home is says its variable, which is listed beside this.
    overrides = _different({key: value for key, value in config.to_dict().items() if key != "home_dir"}, DEFAULTS)
    secrets = overrides.get("context", {}).get("secrets")
    if isinstance(secrets, dict) and not include_secret_names:
        overrides["context"]["secrets"] = bool(secrets)
    return {"config_overrides": overrides}


def environment_variables() -> dict[str, Any]:
    """Return the names of Headwater's variables that are set; those of secrets are left out."""
    names = sorted(name for name in os.environ if name.startswith("HEADWATER") and "__SECRETS__" not in name)
    return {"env_vars": names}


def flow_information(flow: Flow) -> dict[str, Any]:
    """Return of what kind the parts of a flow are, and how many."""
    kinds: dict[str, int] = {}
    for task in flow.tasks:
        kinds[type(task).__name__] = kinds.get(type(task).__name__, 0) + 1
    return {
        "flow_information": {
            "name": flow.name,
            "task_count": len(flow.tasks),
            "edge_count": len(flow.edges),
            "mapped": any(edge.mapped for edge in flow.edges),
            "tasks": dict(sorted(kinds.items())),
            "parameters": sorted(parameter.name for parameter in flow.parameters()),
            "executor": type(flow.executor).__name__ if flow.executor else None,
            "run_config": type(flow.run_config).__name__ if flow.run_config else None,
            "storage": type(flow.storage).__name__ if flow.storage else None,
            "result": type(flow.result).__name__ if flow.result else None,
            "schedule": [type(clock).__name__ for clock in flow.schedule.clocks] if flow.schedule else None,
        }
    }


def diagnostic_info(flow: Flow | None = None, include_secret_names: bool = False) -> str:
    """Return all of it as JSON, to be pasted into a question. With a flow, what it is made of too."""
    parts = [
        system_information(),
        config_overrides(include_secret_names),
        environment_variables(),
        *([] if flow is None else [flow_information(flow)]),
    ]
    return json.dumps({key: value for part in parts for key, value in part.items()}, indent=2, sort_keys=True)


def _different(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            inner = _different(value, defaults.get(key, {}))
            if inner:
                found[key] = inner
        elif key not in defaults or defaults[key] != value:
            found[key] = True
    return found
