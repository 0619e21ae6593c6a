"""The public path of what is in `headwater.sdk.task_library.templates.strings`."""

from __future__ import annotations

from headwater.sdk.task_library.templates.strings import StringFormatter

__all__ = ["StringFormatter"]
