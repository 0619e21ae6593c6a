"""A task that writes to a Slack channel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater.sdk.context.secrets import Secret
from headwater.sdk.language.decorators import defaults_from_attrs
from headwater.sdk.language.task import Task
from headwater.sdk.task_library.notifications.webhooks import post_json


class SlackTask(Task):
    """Sends a message through a webhook of Slack's.

    Args:
        message: a text, or a message as Slack's webhooks take it.
        webhook_secret: the name of the secret with the webhook's address.
        settings: the settings of every task.

    """

    def __init__(
        self,
        message: str | Mapping[str, Any] | None = None,
        webhook_secret: str = "SLACK_WEBHOOK_URL",  # noqa: S107 - the secret's name
        **settings: Any,
    ) -> None:
        self.message = message
        self.webhook_secret = webhook_secret
        super().__init__(**settings)

    @defaults_from_attrs("message", "webhook_secret")
    def run(
        self, message: str | Mapping[str, Any] | None = None, webhook_secret: str | None = None, webhook_url: str | None = None
    ) -> None:
        """Send the message.

        Args:
            message: another message than the task's.
            webhook_secret: another secret than the task's.
            webhook_url: the address itself, such as the result of a `PrefectSecret`; no secret is asked for then.

        Raises:
            SecretNotFound: there is no such secret here.
            OSError: Slack cannot be reached, or refuses.

        """
        url = webhook_url or str(Secret(str(webhook_secret)).get())
        post_json(url, dict(message) if isinstance(message, Mapping) else {"text": message})
