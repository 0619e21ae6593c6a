"""The public path of what is in `headwater.sdk.run_configs.arguments`."""

from __future__ import annotations

from headwater.sdk.run_configs.arguments import Variables, at_most_one, mapping, quantity, several, text, variable

__all__ = ["Variables", "at_most_one", "mapping", "quantity", "several", "text", "variable"]
