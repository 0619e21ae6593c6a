"""The public path of what is in `headwater.sdk.storage.scripts`."""

from __future__ import annotations

from headwater.sdk.storage.scripts import flows_in, flows_in_file, flows_in_module, pick_flow, refuse_same_names

__all__ = ["flows_in", "flows_in_file", "flows_in_module", "pick_flow", "refuse_same_names"]
