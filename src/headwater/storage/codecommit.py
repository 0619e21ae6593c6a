"""The public path of what is in `headwater.sdk.storage.codecommit`."""

from __future__ import annotations

from headwater.sdk.storage.codecommit import CodeCommit

__all__ = ["CodeCommit"]
