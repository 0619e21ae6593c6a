"""The public path of what is in `headwater.sdk.results.s3_result`."""

from __future__ import annotations

from headwater.sdk.results.s3_result import S3Result

__all__ = ["S3Result"]
