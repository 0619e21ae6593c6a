"""How an agent speaks to the people who watch it: one logger, one form of lines, and a banner of our own."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from headwater.utilities.logging import LINE_FORMAT, TIME_FORMAT, LineFormatter, StdoutHandler

LOGGER_NAME = "agent"
DOCUMENTATION = "docs/guides/local-agent.md"

BANNER = """
  ~~~~~~~~~~~~~~~~~~~~~~~
     H e a d w a t e r
  ~~~~~~~~~~~~~~~~~~~~~~~
"""


def agent_logger(level: int = logging.INFO) -> logging.Logger:
    """Return the agent's own logger, which writes to standard output whatever the program's other loggers do."""
    logger = logging.getLogger(LOGGER_NAME)
    if not logger.handlers:
        handler = StdoutHandler()
        handler.setFormatter(LineFormatter(LINE_FORMAT, TIME_FORMAT))
        logger.addHandler(handler)
        logger.propagate = False
    logger.setLevel(level)
    return logger


def listed(labels: Iterable[str]) -> str:
    """Return labels as agents have always shown them: `['etl', 'my-host']`."""
    return repr(sorted(labels))
