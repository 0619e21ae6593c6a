"""The public path of what is in `headwater.sdk.results.gcs_result`."""

from __future__ import annotations

from headwater.sdk.results.gcs_result import GCSResult

__all__ = ["GCSResult"]
