"""The public path of what is in `headwater.sdk.task_library.notifications.notifiers`."""

from __future__ import annotations

from headwater.sdk.task_library.notifications.notifiers import (
    GMAIL,
    Handler,
    callback_factory,
    gmail_notifier,
    mail_message,
    slack_message,
    slack_message_formatter,
    slack_notifier,
)

__all__ = [
    "GMAIL",
    "Handler",
    "callback_factory",
    "gmail_notifier",
    "mail_message",
    "slack_message",
    "slack_message_formatter",
    "slack_notifier",
]
