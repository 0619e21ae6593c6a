"""The public path of what is in `headwater.sdk.storage.s3`."""

from __future__ import annotations

from headwater.sdk.storage.s3 import S3

__all__ = ["S3"]
