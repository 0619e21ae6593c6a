"""Flows out of files, texts, modules and bytes, by functions that Prefect had in `prefect.utilities.storage`."""

from __future__ import annotations

import importlib
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.sdk.context.context import context
from headwater.sdk.storage.errors import FlowNotInCode, InvalidStorage, NotAFlow
from headwater.sdk.storage.pickled import unpickled
from headwater.sdk.storage.scripts import flows_in, flows_in_file

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def extract_flow_from_file(
    file_path: str | Path | None = None, file_contents: str | bytes | None = None, flow_name: str | None = None
) -> Flow:
    """Return the flow of this name in a file, or in a text of Python; without a name the first one.

    Raises:
        InvalidStorage: both a path and a text are given, or neither.
        FlowCodeMissing, FlowNotLoadable: the file is not there, or cannot be imported.
        FlowNotInCode: there is no such flow in it.

    """
    if file_path is not None and file_contents is not None:
        raise InvalidStorage("Provide either file_path or file_contents, but not both.")
    if file_path is not None:
        return _chosen(flows_in_file(file_path), flow_name, str(file_path))
    if not isinstance(file_contents, str | bytes):
        raise InvalidStorage("Provide either file_path or file_contents, a text or bytes.")
    namespace: dict[str, Any] = {"__name__": "headwater_flow_text"}
    with context(loading_flow=True, flow=None):
        exec(file_contents, namespace)  # noqa: S102 - a caller who gives a text of Python wants it executed
    return _chosen(flows_in(namespace), flow_name, "the text")


def extract_flow_from_module(module_str: str, flow_name: str | None = None) -> Flow:
    """Return the flow of this name in a module; without a name the only one.

    `package.module:flow` and `package.module:holder.flow` name the flow's variable, or a function that returns the flow.

    Raises:
        ModuleNotFoundError: there is no such module.
        FlowNotInCode: there is no such flow in it, or more than one and no name is given.
        NotAFlow: the variable holds something else.

    """
    from headwater.sdk.language.flow import Flow

    name, _, variable = module_str.partition(":")
    with context(loading_flow=True, flow=None):
        module = importlib.import_module(name)
    if not variable:
        flows = flows_in(vars(module))
        if flow_name is None and len(flows) > 1:
            listed = ", ".join(repr(flow.name) for flow in flows)
            raise FlowNotInCode(f"Multiple flows found in {module_str!r}: {listed}.", hint="Choose one by flow_name.")
        return _chosen(flows, flow_name, f"module {name!r}")
    try:
        found = attrgetter(variable)(module)
    except AttributeError:
        raise FlowNotInCode(f"Failed to find a flow at {module_str!r}: there is nothing of this name.") from None
    flow = found() if callable(found) else found
    if not isinstance(flow, Flow):
        raise NotAFlow(f"Object at {module_str!r} is a {type(flow).__name__}, not a flow.")
    if flow_name is not None and flow.name != flow_name:
        raise FlowNotInCode(f"Flow at {module_str!r} is named {flow.name!r}, not {flow_name!r}.")
    return flow


def flow_from_bytes(data: bytes) -> Flow:
    """Return the flow that `storage.pickled.pickled` made bytes of. Load only what you trust: it runs code.

    Raises:
        FlowNotLoadable: it needs a module that is not here, or is not the pickle of a flow.

    """
    return unpickled(data, "of these bytes", "memory")


def _chosen(flows: list[Flow], flow_name: str | None, place: str) -> Flow:
    if not flows:
        raise FlowNotInCode(f"No flows found in {place}.")
    for flow in flows:
        if flow_name is None or flow.name == flow_name:
            return flow
    listed = ", ".join(repr(flow.name) for flow in flows)
    raise FlowNotInCode(f"Flow {flow_name!r} not found in {place}; it holds {listed}.")
