"""The public path of what is in `headwater.sdk.language.cache_validators`."""

from __future__ import annotations

from headwater.sdk.language.cache_validators import (
    CacheValidator,
    all_inputs,
    all_parameters,
    duration_only,
    looks_at_inputs,
    never_use,
    partial_inputs_only,
    partial_parameters_only,
)

__all__ = [
    "CacheValidator",
    "all_inputs",
    "all_parameters",
    "duration_only",
    "looks_at_inputs",
    "never_use",
    "partial_inputs_only",
    "partial_parameters_only",
]
