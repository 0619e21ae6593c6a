"""Parameters, at home in the graph: a flow cannot be described without them."""

from __future__ import annotations

from headwater.graph.parameter import DateTimeParameter, Parameter

__all__ = ["DateTimeParameter", "Parameter"]
