"""The log lines and the banner that an agent prints."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from contextlib import suppress

from headwater.core.program.line_format import LINE_FORMAT, TIME_FORMAT
from headwater.sdk.context.logging import LineFormatter, StdoutHandler

LOGGER_NAME = "agent"
DOCUMENTATION = "docs/guides/local-agent.md"

BANNER = """
  ~~~~~~~~~~~~~~~~~~~~~~~
     H e a d w a t e r
  ~~~~~~~~~~~~~~~~~~~~~~~
"""


class _Lines(StdoutHandler):
    """Writes the agent's lines. Where they cannot be written (its disk is full, its terminal gone) it says so once, and works on."""

    def __init__(self) -> None:
        super().__init__()
        self._told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            super().handleError(record)
        elif not self._told:
            self._told = True
            with suppress(OSError):
                sys.stderr.write(f"What this agent says cannot be written: {error.strerror}. It goes on.\n")


def agent_logger(level: int = logging.INFO) -> logging.Logger:
    """Return the agent's own logger, which writes to standard output whatever the program's other loggers do."""
    logger = logging.getLogger(LOGGER_NAME)
    # Others may have handlers of theirs on a logger of this name.
    if not any(isinstance(handler, _Lines) for handler in logger.handlers):
        handler = _Lines()
        handler.setFormatter(LineFormatter(LINE_FORMAT, TIME_FORMAT))
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(level)
    return logger


def listed(labels: Iterable[str]) -> str:
    """Return labels as agents have always shown them: `['etl', 'my-host']`."""
    return repr(sorted(labels))
