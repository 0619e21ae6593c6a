"""What a server runs on top of NATS and PostgreSQL: the streams' set-up, the warden, the projector, the query service, the web."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus

from headwater.core.concurrency import Service, start_all
from headwater.core.log.jetstream import open_log
from headwater.core.settings import UI_URL
from headwater.server.program import ServerContext


class LogServices:
    """Opens the log, creating its streams where there are none, and serves everything that needs it."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Serve until cancelled.

        Raises:
            StreamMismatch: streams of our names exist there that this version does not accept.
            LogError: the log cannot be opened.

        """
        from headwater.projections.services import view_services
        from headwater.server.warden import Warden
        from headwater.web.service import WebService

        context = self._context
        async with (
            open_log(
                context.nats_url,
                key=context.key,
                name="server",
                replicas=context.replicas,
                ensure_streams=True,
                log_retention_days=context.log_retention_days,
            ) as log,
            anyio.create_task_group() as group,
        ):
            await start_all(group, [Warden(log)])
            await start_all(group, view_services(log, context.database_url, log_retention_days=context.log_retention_days))
            await start_all(group, [WebService(log, context.http_socket, hosts=_own_names(), key=context.key)])
            task_status.started()


def _own_names() -> list[str]:
    """Return the name under which people reach the pages, where HEADWATER_UI_URL tells one."""
    name = urlsplit(UI_URL.value() or "").hostname
    return [] if name is None else [name]


def server_services(context: ServerContext) -> Sequence[Service]:
    """Return the services of a server."""
    return [LogServices(context)]
