"""The public path of what is in `headwater.sdk.storage.github`."""

from __future__ import annotations

from headwater.sdk.storage.github import GitHub

__all__ = ["GitHub"]
