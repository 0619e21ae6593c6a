"""Tasks that tell people something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.task_library.notifications import EmailTask, SlackTask

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.notifications import email_task as email_task
    from headwater.tasks.notifications import slack_task as slack_task

__all__ = ["EmailTask", "SlackTask"]
