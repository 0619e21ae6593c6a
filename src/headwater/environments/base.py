"""The public path of what is in `headwater.sdk.environments.base`."""

from __future__ import annotations

from headwater.sdk.environments.base import NOT_CALLED, Environment, EnvironmentOptions, Outcome, given_executor

__all__ = ["NOT_CALLED", "Environment", "EnvironmentOptions", "Outcome", "given_executor"]
