"""File descriptors: as many as we may have, and what is said when there are none left."""

from __future__ import annotations

import logging
import resource

logger = logging.getLogger(__name__)


def raise_descriptor_limit() -> None:
    """Let this process, and those it starts, open as many files as the system's hard limit allows.

    The soft limit of 1,024 is for programs that use select(), which we do not.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (OSError, ValueError) as error:  # a system may have a lower bound of its own than what it tells
        logger.debug("the limit of open files stays at %d: %s", soft, error)
