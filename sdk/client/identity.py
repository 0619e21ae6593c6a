"""Who writes: the name that the audit trail shows beside what a person's programs do."""

from __future__ import annotations

import getpass
import socket

from headwater.core.aggregates import Actor
from headwater.core.program.settings import ACTOR


def actor_of(program: str) -> Actor:
    """Return the author for this user and machine, such as `cli:ana@host`; `HEADWATER_ACTOR` replaces what follows the colon."""
    return Actor(f"{program}:{ACTOR.value() or f'{_user()}@{socket.gethostname()}'}")


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        # A container's user need not have a name.
        return "unknown"
