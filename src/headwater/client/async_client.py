"""The public path of what is in `headwater.sdk.client.async_client`."""

from __future__ import annotations

from headwater.sdk.client.async_client import AsyncClient

__all__ = ["AsyncClient"]
