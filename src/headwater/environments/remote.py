"""The public path of what is in `headwater.sdk.environments.remote`."""

from __future__ import annotations

from headwater.sdk.environments.remote import RemoteEnvironment

__all__ = ["RemoteEnvironment"]
