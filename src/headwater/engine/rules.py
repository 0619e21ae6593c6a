"""The public path of what is in `headwater.sdk.engine.rules`."""

from __future__ import annotations

from headwater.sdk.engine.rules import NO_CONSTANTS, flow_outcome, refusal, refusal_of_parent, retry

__all__ = ["NO_CONSTANTS", "flow_outcome", "refusal", "refusal_of_parent", "retry"]
