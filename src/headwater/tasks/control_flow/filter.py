"""The public path of what is in `headwater.sdk.language.filter`."""

from __future__ import annotations

from headwater.sdk.language.filter import FilterTask

__all__ = ["FilterTask"]
