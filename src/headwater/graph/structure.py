"""The public path of what is in `headwater.sdk.language.structure`."""

from __future__ import annotations

from headwater.sdk.language.structure import TaskGraph

__all__ = ["TaskGraph"]
