"""Running the flow of a file or module in this process, without any server."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headwater.cli.output import coloured, echo_stderr, progress
from headwater.cli.streams import trusting_streams
from headwater.core.errors import NotFound

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def run_local(
    *, path: Path | None, module: str | None, name: str | None, parameters: Mapping[str, Any], context: Mapping[str, Any], level: str | None
) -> int:
    """Run the flow and return the exit code: 0 where it succeeded.

    Raises:
        StorageError: the file or module cannot be had.
        NotFound, Ambiguous: it holds no such flow, or several.
        InvalidFlow, InvalidParameters: the flow cannot run so.

    """
    from headwater.sdk.context.logging import get_logger

    with progress("Retrieving local flow..."):
        flow = local_flow(path=path, module=module, name=name)
    if level is not None:
        get_logger().setLevel(logging.getLevelNamesMapping()[level])
    echo_stderr("Running flow locally...")
    # Once, now: a schedule is for those who leave the flow running.
    with trusting_streams():
        state = flow.run(dict(parameters), run_on_schedule=False, context=context)
    if state.is_successful():
        echo_stderr(coloured("Flow run succeeded!", "green"))
        return 0
    echo_stderr(coloured("Flow run failed!", "red"))
    return 1


def local_flow(*, path: Path | None, module: str | None, name: str | None) -> Flow:
    """Return the one flow of this name (or at all) in the file or module. Raises as `run_local`."""
    from headwater.cli.flow_sources import flows_of
    from headwater.core.errors import Ambiguous

    source = str(path) if path is not None else str(module)
    flows = flows_of(path=path, module=module)
    found = [flow for flow in flows if name is None or flow.name == name]
    if len(found) == 1:
        return found[0]
    names = ", ".join(repr(flow.name) for flow in flows) or "none"
    if not found:
        raise NotFound("flow", name or "", hint=f"{source} holds: {names}.") if name else NotFound("flow in", source)
    raise Ambiguous(f"{source} holds several flows: {names}.", hint="Say which one with --name.")
