"""The public path of what is in `headwater.sdk.task_library.notifications.webhooks`."""

from __future__ import annotations

from headwater.sdk.task_library.notifications.webhooks import TIMEOUT_SECONDS, post_json

__all__ = ["TIMEOUT_SECONDS", "post_json"]
