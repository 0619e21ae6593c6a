"""The public path of what is in `headwater.sdk.client.log_source`."""

from __future__ import annotations

from headwater.sdk.client.log_source import LogSource, log_of, take_logs_from

__all__ = ["LogSource", "log_of", "take_logs_from"]
