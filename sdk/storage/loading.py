"""From the reference in the log to the flow: what an agent's process does first."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

from headwater.sdk.storage.base import python_version
from headwater.sdk.storage.errors import FlowCodeChanged, FlowCodeMissing, FlowDiffersFromRegistered, PythonVersionDiffers, UnknownStorage
from headwater.sdk.storage.pickled import sha256_of, unpickled_with_modules
from headwater.sdk.storage.scripts import flows_in_file, flows_in_module, pick_flow, refuse_same_names

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow

__all__ = ["check_slugs", "flows_in_file", "flows_in_module", "load_flow", "refuse_same_names"]


class Loaded(NamedTuple):
    """A flow, and by name the modules that were pickled with it."""

    flow: Flow
    modules: Mapping[str, ModuleType]


def load_flow(reference: Mapping[str, Any], slugs: Iterable[str] | None = None) -> Flow:
    """Return the flow that a reference (`Storage.reference`) stands for, checked to be the one that was registered.

    Args:
        reference: where the code lies, and how to tell that it is the same.
        slugs: the slugs of the registered tasks; None leaves that check to the caller.

    Raises:
        StorageError: the flow cannot be had, or is another; the kind of error says why, its hint what to do.

    """
    return load_with_modules(reference, slugs).flow


def load_with_modules(reference: Mapping[str, Any], slugs: Iterable[str] | None = None) -> Loaded:
    """Return the flow as `load_flow` does, with the modules whose code was pickled with it."""
    kind, name, location = reference.get("type"), str(reference.get("flow_name", "")), str(reference.get("location", ""))
    modules: Mapping[str, ModuleType] = {}
    if kind == "Module":
        flow = pick_flow(flows_in_module(location), name, f"Module {location!r}")
    elif kind != "Local":
        raise UnknownStorage(
            f"Flow {name!r} lies in storage of the kind {kind!r}, which nothing here reads.",
            hint="Update Headwater where the agent runs, or register the flow with Local or Module storage.",
        )
    elif reference.get("stored_as_script"):
        flow = pick_flow(flows_in_file(location), name, location)
    else:
        flow, modules = _from_pickle(reference, name, location)
    if slugs is not None:
        check_slugs(flow, slugs)
    return Loaded(flow, modules)


def check_slugs(flow: Flow, registered: Iterable[str]) -> None:
    """Check that the flow has exactly the tasks that were registered.

    Raises:
        FlowDiffersFromRegistered: it has not.

    """
    here, there = {flow.slugs[task] for task in flow.tasks}, set(registered)
    if here != there:
        raise FlowDiffersFromRegistered(flow.name, missing=sorted(there - here), unknown=sorted(here - there))


def _from_pickle(reference: Mapping[str, Any], name: str, location: str) -> tuple[Flow, Mapping[str, ModuleType]]:
    stored = str(reference.get("python_version") or "")
    if stored and stored != python_version():
        # Looked at first: such a pickle may not even load, or crash the interpreter when it runs.
        raise PythonVersionDiffers(name, stored=stored, running=python_version())
    file = Path(location)
    if not file.is_file():
        raise FlowCodeMissing(name, location)
    data = file.read_bytes()
    expected = reference.get("sha256")
    found = sha256_of(data)
    if expected and found != expected:
        raise FlowCodeChanged(name, location, expected=expected, found=found)
    # Last, so that they hide nothing that was importable before.
    sys.path += [folder for folder in (reference.get("options") or {}).get("import_paths", ()) if folder not in sys.path]
    return unpickled_with_modules(data, name, location)
