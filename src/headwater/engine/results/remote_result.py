"""The public path of what is in `headwater.sdk.results.remote_result`."""

from __future__ import annotations

from headwater.sdk.results.remote_result import RemoteResult

__all__ = ["RemoteResult"]
