"""The public path of what is in `headwater.sdk.storage.loading`."""

from __future__ import annotations

from headwater.sdk.storage.loading import (
    Loaded,
    check_slugs,
    flows_in_file,
    flows_in_module,
    load_flow,
    load_with_modules,
    refuse_same_names,
)

__all__ = ["Loaded", "check_slugs", "flows_in_file", "flows_in_module", "load_flow", "load_with_modules", "refuse_same_names"]
