"""The public path of what is in `headwater.sdk.language.operators`."""

from __future__ import annotations

from headwater.sdk.language.operators import TaskOperators

__all__ = ["TaskOperators"]
