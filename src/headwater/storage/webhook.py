"""The public path of what is in `headwater.sdk.storage.webhook`."""

from __future__ import annotations

from headwater.sdk.storage.webhook import METHODS, Webhook

__all__ = ["METHODS", "Webhook"]
