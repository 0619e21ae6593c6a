"""The public path of what is in `headwater.sdk.client.client`."""

from __future__ import annotations

from headwater.sdk.client.client import Answer, Client

__all__ = ["Answer", "Client"]
