"""The public path of what is in `headwater.sdk.storage.stored_code`."""

from __future__ import annotations

from headwater.sdk.storage.stored_code import is_known, load_to_execute, share, stored

__all__ = ["is_known", "load_to_execute", "share", "stored"]
