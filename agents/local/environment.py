"""The environment of a run's process: who may say what, and in which order.

From weakest to strongest: the agent's own environment, the agent's log level, PYTHONPATH with the agent's import paths, the agent's
`--env`, the run config's `env`, and the variables Headwater itself needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from headwater.agents.errors import CannotLaunch
from headwater.core.program.settings import LOG_LEVEL
from headwater.core.program.user_paths import user_path

_READ_BY_THE_INTERPRETER = ("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "LC_")
_READ_BY_THE_INTERPRETER_EXACTLY = frozenset({"LANG", "LANGUAGE", "__PYVENV_LAUNCHER__"})
_LOCAL_KINDS = frozenset({"UniversalRun", "LocalRun"})


def agent_environment(
    own: Mapping[str, str], *, log_level: str | None = None, import_paths: Iterable[str] = (), extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return what all runs of an agent share."""
    environment = dict(own)
    if log_level is not None:
        environment[LOG_LEVEL.variable] = log_level.upper()
    paths = [os.path.abspath(os.path.expanduser(path)) for path in import_paths]  # noqa: PTH100, PTH111 - text in, text out
    if paths:
        inherited = own.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([*paths, inherited] if inherited else paths)
    environment.update(extra or {})
    return environment


def run_environment(shared: Mapping[str, str], run_config: Mapping[str, Any], forced: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of one run's process. A variable that is None in the run config is not in it.

    Raises:
        CannotLaunch: the run config's `env` is not a table of texts.

    """
    chosen = run_config.get("env") or {}
    if not isinstance(chosen, Mapping):
        raise CannotLaunch(f"The run config's env is {chosen!r}; it must be a table of names and texts.")
    environment = dict(shared)
    for name, value in chosen.items():
        text = str(value)
        if not name or "=" in name or "\0" in name or "\0" in text:
            raise CannotLaunch(f"The run config's env names {name!r}, which cannot be an environment variable.")
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = text
    environment.update(forced)
    return environment


def needs_cold_start(environment: Mapping[str, str], warm: Mapping[str, str]) -> bool:
    """Tell whether a process with this environment must be a new interpreter, since one forked from `warm` would not be the same.

    These variables are read once, when the interpreter or a library of the system starts.
    """
    names = environment.keys() | warm.keys()
    return any(environment.get(name) != warm.get(name) for name in names if _is_read_by_the_interpreter(name))


def _is_read_by_the_interpreter(name: str) -> bool:
    return name.startswith(_READ_BY_THE_INTERPRETER) or name in _READ_BY_THE_INTERPRETER_EXACTLY


def working_directory(run_config: Mapping[str, Any], default: Path) -> Path:
    """Return where the run's process starts: the run config's `working_dir`, or the agent's own directory.

    Raises:
        CannotLaunch: there is no such directory here.

    """
    chosen = run_config.get("working_dir")
    directory = default if not chosen else default / user_path(str(chosen))
    if not directory.is_dir():
        raise CannotLaunch(
            f"The working directory {directory} does not exist on this machine.",
            hint="Create it, or give the run config another working_dir.",
        )
    return directory


def require_local(run_config: Mapping[str, Any]) -> None:
    """Do nothing if a local agent may run this.

    Raises:
        CannotLaunch: the run config is one for another kind of agent.

    """
    kind = str(run_config.get("type") or "UniversalRun")
    if kind not in _LOCAL_KINDS:
        raise CannotLaunch(
            f"The run config is a {kind}; a local agent takes {' and '.join(sorted(_LOCAL_KINDS))}.",
            hint="Start an agent of that kind with these labels, or give the flow another run config.",
        )
