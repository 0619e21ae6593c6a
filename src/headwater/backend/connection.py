"""The public path of what is in `headwater.sdk.backend.connection`."""

from __future__ import annotations

from headwater.sdk.backend.connection import shared_client

__all__ = ["shared_client"]
