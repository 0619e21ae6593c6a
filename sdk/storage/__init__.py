"""Storage: where a flow's code lies, always on the user's side."""

from __future__ import annotations

from headwater.storage.base import Storage
from headwater.storage.local import Local
from headwater.storage.module import Module

__all__ = ["Local", "Module", "Storage"]
