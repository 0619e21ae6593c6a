"""The public path of what is in `headwater.sdk.client.flow_metadata`."""

from __future__ import annotations

from headwater.sdk.client.flow_metadata import add_labels, check_results, check_settings, check_supported, metadata_of

__all__ = ["add_labels", "check_results", "check_settings", "check_supported", "metadata_of"]
