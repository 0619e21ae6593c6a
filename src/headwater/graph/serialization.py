"""The public path of what is in `headwater.sdk.language.serialization`."""

from __future__ import annotations

from headwater.sdk.language.serialization import hash_of, serialize_flow, serialize_task

__all__ = ["hash_of", "serialize_flow", "serialize_task"]
