"""The public path of what is in `headwater.sdk.engine.children`."""

from __future__ import annotations

from headwater.sdk.engine.children import CREATION_SECONDS, children_of_this_run, created_child

__all__ = ["CREATION_SECONDS", "children_of_this_run", "created_child"]
