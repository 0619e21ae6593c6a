"""The public path of what is in `headwater.sdk.executors.transport`."""

from __future__ import annotations

from headwater.sdk.executors.transport import execute_packed, packed, unpacked

__all__ = ["execute_packed", "packed", "unpacked"]
