"""The public path of what is in `headwater.sdk.environments.local`."""

from __future__ import annotations

from headwater.sdk.environments.local import LocalEnvironment

__all__ = ["LocalEnvironment"]
