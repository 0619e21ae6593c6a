"""The public path of what is in `headwater.sdk.language.drawing`."""

from __future__ import annotations

from headwater.sdk.language.drawing import draw, graph_of

__all__ = ["draw", "graph_of"]
