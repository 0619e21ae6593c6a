"""The public path of what is in `headwater.sdk.context.log_records`."""

from __future__ import annotations

from headwater.sdk.context.log_records import ATTRIBUTES, add_run_to_records, log_attributes

__all__ = ["ATTRIBUTES", "add_run_to_records", "log_attributes"]
