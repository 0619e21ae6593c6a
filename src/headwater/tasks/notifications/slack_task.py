"""The public path of what is in `headwater.sdk.task_library.notifications.slack_task`."""

from __future__ import annotations

from headwater.sdk.task_library.notifications.slack_task import SlackTask

__all__ = ["SlackTask"]
