"""How many files a process may have open. Server and agents take as many as the system lets them.

The soft limit of 1,024 is for programs that use `select`, which these do not. Runs keep the limit that their agent was started with: code
of theirs may use it, or look at each number up to the limit.
"""

from __future__ import annotations

import errno
import logging
import resource

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE})
"""What the system answers where no further file can be opened, by this process or by all together."""

_log = logging.getLogger(__name__)


def raise_limit() -> None:
    """Let this process, and those it starts, have as many files open as it may allow itself."""
    set_limit(resource.getrlimit(resource.RLIMIT_NOFILE)[1])


def limit() -> int:
    """Return how many files this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def set_limit(number: int) -> None:
    """Let this process have so many files open, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
    except (OSError, ValueError) as error:  # macOS knows a lower limit than it tells
        _log.debug("The limit of open files stays at %d: %s", soft, error)
