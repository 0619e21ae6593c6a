"""The public path of what is in `headwater.sdk.engine.recorder`."""

from __future__ import annotations

from headwater.sdk.engine.recorder import Earlier, Recorder

__all__ = ["Earlier", "Recorder"]
