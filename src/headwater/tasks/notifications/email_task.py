"""The public path of what is in `headwater.sdk.task_library.notifications.email_task`."""

from __future__ import annotations

from headwater.sdk.task_library.notifications.email_task import TIMEOUT_SECONDS, EmailTask

__all__ = ["TIMEOUT_SECONDS", "EmailTask"]
