"""The public path of what is in `headwater.sdk.client.run_logs`."""

from __future__ import annotations

from headwater.sdk.client.run_logs import read_logs, rows_of

__all__ = ["read_logs", "rows_of"]
