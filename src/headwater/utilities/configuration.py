"""The public path of what is in `headwater.sdk.context.configuration`."""

from __future__ import annotations

from headwater.sdk.context.configuration import (
    DEFAULTS,
    FILE_NAME,
    FILE_VARIABLE,
    PREFIX,
    Config,
    Section,
    config,
    data_home,
    home_directory,
    is_data_home,
    load_configuration,
    merged,
    set_temporary_config,
    write_in_home,
)

__all__ = [
    "DEFAULTS",
    "FILE_NAME",
    "FILE_VARIABLE",
    "PREFIX",
    "Config",
    "Section",
    "config",
    "data_home",
    "home_directory",
    "is_data_home",
    "load_configuration",
    "merged",
    "set_temporary_config",
    "write_in_home",
]
