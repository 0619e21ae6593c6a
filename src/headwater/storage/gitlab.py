"""The public path of what is in `headwater.sdk.storage.gitlab`."""

from __future__ import annotations

from headwater.sdk.storage.gitlab import GitLab

__all__ = ["GitLab"]
