"""The public path of what is in `headwater.sdk.context.logging`."""

from __future__ import annotations

from headwater.core.program.line_format import LINE_FORMAT, TIME_FORMAT
from headwater.sdk.context.logging import (
    BEGUN_CHARACTERS_MAX,
    LEVEL_VARIABLE,
    ROOT_NAME,
    LineFormatter,
    LoggedStdout,
    Prints,
    StdoutHandler,
    add_handler,
    configure_extra_loggers,
    configure_logging,
    get_logger,
    level_from_environment,
    message_of,
    prints,
    temporary_logger_config,
)

__all__ = [
    "BEGUN_CHARACTERS_MAX",
    "LEVEL_VARIABLE",
    "LINE_FORMAT",
    "ROOT_NAME",
    "TIME_FORMAT",
    "LineFormatter",
    "LoggedStdout",
    "Prints",
    "StdoutHandler",
    "add_handler",
    "configure_extra_loggers",
    "configure_logging",
    "get_logger",
    "level_from_environment",
    "message_of",
    "prints",
    "temporary_logger_config",
]
