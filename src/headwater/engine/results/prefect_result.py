"""The public path of what is in `headwater.sdk.results.prefect_result`."""

from __future__ import annotations

from headwater.sdk.results.prefect_result import INLINE_BYTES_MAX, ChildRunResult, InlineResult, PrefectResult, inline_problem

__all__ = ["INLINE_BYTES_MAX", "ChildRunResult", "InlineResult", "PrefectResult", "inline_problem"]
