"""The public path of what is in `headwater.sdk.storage.bitbucket`."""

from __future__ import annotations

from headwater.sdk.storage.bitbucket import Bitbucket

__all__ = ["Bitbucket"]
