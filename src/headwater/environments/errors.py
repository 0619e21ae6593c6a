"""The public path of what is in `headwater.sdk.environments.errors`."""

from __future__ import annotations

from headwater.sdk.environments.errors import EnvironmentFailed, InvalidEnvironment

__all__ = ["EnvironmentFailed", "InvalidEnvironment"]
