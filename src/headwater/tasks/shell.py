"""The public path of what is in `headwater.sdk.task_library.shell`."""

from __future__ import annotations

from headwater.sdk.task_library.shell import ShellTask

__all__ = ["ShellTask"]
