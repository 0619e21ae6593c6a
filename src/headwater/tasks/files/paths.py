"""The public path of what is in `headwater.sdk.task_library.files.paths`."""

from __future__ import annotations

from headwater.sdk.task_library.files.paths import AnyPath, existing_path, given_path

__all__ = ["AnyPath", "existing_path", "given_path"]
