"""The public path of what is in `headwater.sdk.results.secret_result`."""

from __future__ import annotations

from headwater.sdk.results.secret_result import SecretResult

__all__ = ["SecretResult"]
