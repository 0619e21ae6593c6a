"""Tasks that tell people something."""

from __future__ import annotations

from headwater.sdk.task_library.notifications.email_task import EmailTask
from headwater.sdk.task_library.notifications.slack_task import SlackTask

__all__ = ["EmailTask", "SlackTask"]
