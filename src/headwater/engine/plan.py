"""The public path of what is in `headwater.sdk.engine.plan`."""

from __future__ import annotations

from headwater.sdk.engine.plan import NO_CONSTANTS, NOWHERE, Step, plan_of

__all__ = ["NOWHERE", "NO_CONSTANTS", "Step", "plan_of"]
