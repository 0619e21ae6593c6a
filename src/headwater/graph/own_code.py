"""The public path of what is in `headwater.sdk.language.user_code`."""

from __future__ import annotations

from headwater.sdk.language.user_code import (
    FLOW_FILE_PREFIX,
    defining_module,
    is_own,
    own_folders,
    own_modules,
    own_modules_of_task,
    pickled_by_value,
    stable_module_name,
    type_name,
)

__all__ = [
    "FLOW_FILE_PREFIX",
    "defining_module",
    "is_own",
    "own_folders",
    "own_modules",
    "own_modules_of_task",
    "pickled_by_value",
    "stable_module_name",
    "type_name",
]
