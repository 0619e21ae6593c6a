"""The public path of what is in `headwater.sdk.client.graphql_requests`."""

from __future__ import annotations

from headwater.sdk.client.graphql_requests import TIMEOUT_SECONDS, ask

__all__ = ["TIMEOUT_SECONDS", "ask"]
