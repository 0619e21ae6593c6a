"""The public path of what is in `headwater.sdk.language.edge`."""

from __future__ import annotations

from headwater.sdk.language.edge import Edge

__all__ = ["Edge"]
