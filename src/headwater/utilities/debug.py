"""The public path of what is in `headwater.sdk.engine.debug`."""

from __future__ import annotations

from headwater.sdk.engine.debug import is_serializable, raise_on_exception

__all__ = ["is_serializable", "raise_on_exception"]
