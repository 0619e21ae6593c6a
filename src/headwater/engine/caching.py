"""The public path of what is in `headwater.sdk.engine.caching`."""

from __future__ import annotations

from headwater.sdk.engine.caching import (
    KEYS_MAX,
    STATES_PER_KEY_MAX,
    Caches,
    ProcessCaches,
    cache_key_of,
    cached_again,
    caches_of_this_process,
)
from headwater.sdk.engine.caching import valid_cached_results as usable
from headwater.sdk.engine.caching import with_expiry as to_be_cached

__all__ = [
    "KEYS_MAX",
    "STATES_PER_KEY_MAX",
    "Caches",
    "ProcessCaches",
    "cache_key_of",
    "cached_again",
    "caches_of_this_process",
    "to_be_cached",
    "usable",
]
