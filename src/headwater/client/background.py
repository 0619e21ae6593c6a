"""The public path of what is in `headwater.sdk.client.background`."""

from __future__ import annotations

from headwater.sdk.client.background import Answer, Held, background_loop
from headwater.sdk.client.background import BackgroundResource as HeldOpen

__all__ = ["Answer", "Held", "HeldOpen", "background_loop"]
