"""The public path of what is in `headwater.sdk.client.identity`."""

from __future__ import annotations

from headwater.sdk.client.identity import actor_of as author_of

__all__ = ["author_of"]
