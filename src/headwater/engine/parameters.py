"""The public path of what is in `headwater.sdk.engine.parameters`."""

from __future__ import annotations

from headwater.sdk.engine.parameters import over_context, run_parameters

__all__ = ["over_context", "run_parameters"]
