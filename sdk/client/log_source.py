"""Where a client has its log from: a connection of its own; or what the process of a run has, where that is the same server."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext

from headwater.core.log.protocol import Log
from headwater.core.program.settings import ConnectionSettings

LogSource = Callable[[ConnectionSettings], Log | None]
"""Returns the log of this server that this process has; None where it has none."""

_source: LogSource | None = None


def take_logs_from(source: LogSource | None) -> None:
    """Have the clients of this process take their logs from there, where it has one; None: from connections of their own."""
    global _source  # noqa: PLW0603 - one for each process
    _source = source


def log_of(settings: ConnectionSettings, *, name: str) -> AbstractAsyncContextManager[Log]:
    """Return the log of this server, to be entered. `name` is what the server's monitoring shows of a connection.

    Raises (entering it):
        LogUnavailable: no server answers within 3 seconds.
        AuthenticationFailed: the server wants another key.

    """
    log = None if _source is None else _source(settings)
    if log is not None:
        return nullcontext(log)
    from headwater.core.log.jetstream import open_log

    return open_log(settings.nats_url, key=settings.key, name=name)
