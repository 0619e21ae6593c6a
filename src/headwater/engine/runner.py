"""The public path of what is in `headwater.sdk.engine.runner`."""

from __future__ import annotations

from headwater.sdk.engine.runner import ENDRUN, Handled, as_state, call_state_handlers

__all__ = ["ENDRUN", "Handled", "as_state", "call_state_handlers"]
