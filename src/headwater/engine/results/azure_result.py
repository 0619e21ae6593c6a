"""The public path of what is in `headwater.sdk.results.azure_result`."""

from __future__ import annotations

from headwater.sdk.results.azure_result import AzureResult

__all__ = ["AzureResult"]
