"""Flows as pickles, with the user's own code inside them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from headwater.core.program.user_paths import user_path
from headwater.sdk.context.configuration import data_home, write_in_home
from headwater.sdk.context.files import file_name
from headwater.sdk.language.user_code import own_modules, pickled_by_value
from headwater.sdk.storage.errors import FlowCodeMissing, FlowNotLoadable, FlowNotStorable
from headwater.sdk.storage.frozen_code import FrozenCode

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def pickled(flow: Flow) -> bytes:
    """Return the flow as a pickle that needs none of the user's own modules to load: their code is inside.

    Raises:
        FlowNotStorable: something in it cannot be pickled; the message names the task.

    """
    from headwater.sdk.context.pickling import dumps

    with pickled_by_value(own_modules(flow)):
        try:
            data = dumps(flow)
        except Exception as error:  # pickling runs the code of whatever is in the flow
            raise FlowNotStorable(
                f"Flow {flow.name!r} cannot be pickled{_culprit(flow)}: {error}",
                hint="Make what cannot be pickled (connections, locks, open files) inside the task, when it runs; "
                "or store the flow as a script: Local(path=..., stored_as_script=True).",
            ) from error
    return data


def unpickled(data: bytes, flow_name: str, location: str) -> Flow:
    """Return the flow in a pickle. Only for pickles of the user's own making: loading one runs code.

    Raises:
        FlowNotLoadable: it needs a module that is not here, or is not a pickle of a flow.

    """
    return unpickled_with_modules(data, flow_name, location)[0]


def unpickled_with_modules(data: bytes, flow_name: str, location: str) -> tuple[Flow, Mapping[str, ModuleType]]:
    """Return the flow in a pickle as `unpickled` does, and by name the modules whose code came with it."""
    from headwater.sdk.language.flow import Flow

    try:
        frozen = FrozenCode(data)
    except ModuleNotFoundError as error:
        raise FlowNotLoadable(
            f"The code of flow {flow_name!r} needs the module {error.name!r}, which cannot be imported here.",
            hint=f"Install it where the agent runs, or tell the agent where it is: --import-path (loaded from {location}).",
        ) from error
    except Exception as error:  # unpickling runs the code of whatever is in the flow
        raise FlowNotLoadable(
            f"The stored code of flow {flow_name!r} at {location} cannot be loaded: {error!r}.", hint="Register the flow again."
        ) from error
    if not isinstance(frozen.value, Flow):
        found = type(frozen.value).__name__
        raise FlowNotLoadable(f"The file {location} holds a {found}, not a flow.", hint="Register the flow again.")
    return frozen.value, frozen.modules


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def save_flow(flow: Flow, path: Path | None) -> Path:
    """Write a flow to a file and return its path."""
    target = path or data_home() / "flows" / f"{file_name(flow.name)}.flow"
    write_in_home(target, pickled(flow))
    return target


def load_saved_flow(path: str | Path) -> Flow:
    """Return the flow that `save_flow` wrote, by path or by the flow's name.

    Raises:
        FlowCodeMissing: there is no such file.
        FlowNotLoadable: it cannot be loaded.

    """
    file = user_path(path)
    if not file.exists() and isinstance(path, str):
        file = data_home() / "flows" / f"{file_name(path)}.flow"
    if not file.exists():
        raise FlowCodeMissing(str(path), str(file))
    return unpickled(file.read_bytes(), str(path), str(file))


def _culprit(flow: Flow) -> str:
    from headwater.sdk.context.pickling import dumps

    for task in flow.tasks:
        try:
            dumps((task, flow.constants.get(task)))
        except Exception:  # noqa: BLE001 - which error it is has been told already
            return f" because of task {flow.slugs[task]!r}"
    return ""
