"""The public path of what is in `headwater.sdk.language.annotations`."""

from __future__ import annotations

from headwater.sdk.language.annotations import EdgeAnnotation, check_elements, flatten, mapped, unmapped, unwrapped

__all__ = ["EdgeAnnotation", "check_elements", "flatten", "mapped", "unmapped", "unwrapped"]
