"""The public path of what is in `headwater.sdk.context.collections`."""

from __future__ import annotations

from headwater.sdk.context.collections import (
    CompoundKey,
    D,
    DotDict,
    as_nested_dict,
    dict_to_flatdict,
    flatdict_to_dict,
    flatten_seq,
    merge_dicts,
)

__all__ = ["CompoundKey", "D", "DotDict", "as_nested_dict", "dict_to_flatdict", "flatdict_to_dict", "flatten_seq", "merge_dicts"]
