"""The public path of what is in `headwater.sdk.results.local_result`."""

from __future__ import annotations

from headwater.sdk.results.local_result import LocalResult, default_location

__all__ = ["LocalResult", "default_location"]
