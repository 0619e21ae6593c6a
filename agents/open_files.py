"""How many files an agent may have open: as many as the system lets it. Its runs keep the limit that it was started with.

Programs that use `select` cannot have more than 1,024, and some look at each number up to their limit: what is good for an agent with
hundreds of runs may be bad for code of theirs.
"""

from __future__ import annotations

import resource
from contextlib import suppress


def raise_limit() -> None:
    """Let this process have as many files open as it may allow itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS knows a lower limit than it tells
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def limit() -> int:
    """Return how many files this process may have open."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def set_limit(number: int) -> None:
    """Let this process have so many files open, as far as the system lets it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (number, hard))
