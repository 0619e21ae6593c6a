"""The public path of what is in `headwater.sdk.storage.base`."""

from __future__ import annotations

from headwater.sdk.storage.base import Storage, StorageOptions, python_version

__all__ = ["Storage", "StorageOptions", "python_version"]
