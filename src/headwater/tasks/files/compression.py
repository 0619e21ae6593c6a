"""The public path of what is in `headwater.sdk.task_library.files.compression`."""

from __future__ import annotations

from headwater.sdk.task_library.files.compression import Unzip, Zip

__all__ = ["Unzip", "Zip"]
