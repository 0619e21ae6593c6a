"""The public path of what is in `headwater.sdk.backend.kv_store`."""

from __future__ import annotations

from headwater.sdk.backend.kv_store import delete_key, get_key_value, list_keys, set_key_value

__all__ = ["delete_key", "get_key_value", "list_keys", "set_key_value"]
