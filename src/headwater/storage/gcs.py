"""The public path of what is in `headwater.sdk.storage.gcs`."""

from __future__ import annotations

from headwater.sdk.storage.gcs import GCS

__all__ = ["GCS"]
