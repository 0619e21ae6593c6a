"""How the server and agents write their own log lines: for people, or one JSON object a line for machines that collect them."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

from headwater.core.program.line_format import LINE_FORMAT, TIME_FORMAT
from headwater.core.program.settings import LOG_FORMAT


class JsonFormatter(logging.Formatter):
    """One line of JSON per record: time (UTC), level, logger, message, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure_logging(level: str, logger: logging.Logger) -> None:
    """Have the logger write to standard error from this level on, in the form that HEADWATER_LOG_FORMAT names."""
    handler = logging.StreamHandler(sys.stderr)
    if LOG_FORMAT.value() == "json":
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter(LINE_FORMAT, datefmt=TIME_FORMAT))
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False
