"""The public path of what is in `headwater.sdk.language.function`."""

from __future__ import annotations

from headwater.sdk.language.function import FunctionTask

__all__ = ["FunctionTask"]
