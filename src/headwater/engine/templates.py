"""The public path of what is in `headwater.sdk.results.templates`."""

from __future__ import annotations

from headwater.sdk.results.templates import filled

__all__ = ["filled"]
