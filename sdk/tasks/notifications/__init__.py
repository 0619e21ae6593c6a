"""Tasks that tell people something."""

from __future__ import annotations

from headwater.tasks.notifications.email_task import EmailTask
from headwater.tasks.notifications.slack_task import SlackTask

__all__ = ["EmailTask", "SlackTask"]
