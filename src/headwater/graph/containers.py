"""The public path of what is in `headwater.sdk.language.containers`."""

from __future__ import annotations

from headwater.sdk.language.containers import Make, dict_of, elements_of, maker_for

__all__ = ["Make", "dict_of", "elements_of", "maker_for"]
