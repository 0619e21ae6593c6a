"""The public path of what is in `headwater.sdk.context.pickling`."""

from __future__ import annotations

from headwater.sdk.context.pickling import code_of_file, dumps

__all__ = ["code_of_file", "dumps"]
