"""The public path of what is in `headwater.sdk.storage.extraction`."""

from __future__ import annotations

from headwater.sdk.storage.extraction import extract_flow_from_file, extract_flow_from_module, flow_from_bytes

__all__ = ["extract_flow_from_file", "extract_flow_from_module", "flow_from_bytes"]
