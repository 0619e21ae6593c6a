"""The flow that is being built: the one whose `with` block is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.context.values import current_values
from headwater.sdk.language.errors import NoActiveFlow

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


def active_flow(purpose: str, *, instead: str) -> Flow:
    """Return the flow whose `with` block is open.

    Raises:
        NoActiveFlow: there is none.

    """
    flow: Flow | None = current_values.get().get("flow")
    if flow is None:
        raise NoActiveFlow(
            f"Cannot {purpose} here: no flow is being built.",
            hint=f"Do it inside a `with Flow(...) as flow:` block, pass flow=..., or use {instead} to run the code without a flow.",
        )
    return flow
