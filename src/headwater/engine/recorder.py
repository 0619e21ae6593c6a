"""The public path of what is in `headwater.sdk.engine.recorder`."""

from __future__ import annotations

from headwater.sdk.engine.recorder import PriorAttempt as Earlier
from headwater.sdk.engine.recorder import Recorder

__all__ = ["Earlier", "Recorder"]
