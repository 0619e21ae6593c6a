"""The services of the views in a process that may be killed: forked from one that has loaded all of it, so there may be many."""

from __future__ import annotations

import multiprocessing
import os
import signal
from multiprocessing.context import ForkServerProcess

import anyio

from headwater.core.log.jetstream import open_log
from headwater.core.program.concurrency import start_all
from headwater.projections.database import USUAL_TIMES, DatabaseTimes
from headwater.projections.services import view_services

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["harness.views_process"])


async def _serve(nats_url: str, database_url: str, session_seconds: float) -> None:
    async with open_log(nats_url, name="views") as log, anyio.create_task_group() as group:
        await start_all(group, view_services(log, database_url, times=DatabaseTimes(session_seconds=session_seconds)))


def _live(nats_url: str, database_url: str, session_seconds: float) -> None:
    anyio.run(_serve, nats_url, database_url, session_seconds)


class ViewsProcess:
    """One of them. It ends with the tests at the latest."""

    def __init__(self, nats_url: str, database_url: str, *, session_seconds: float = USUAL_TIMES.session_seconds) -> None:
        arguments = (nats_url, database_url, session_seconds)
        self._process: ForkServerProcess = _context.Process(target=_live, args=arguments, daemon=True)

    def start(self) -> None:
        self._process.start()

    @property
    def runs(self) -> bool:
        return self._process.is_alive()

    def freeze(self) -> None:
        """SIGSTOP: its connections stay open, and nothing answers. `thaw` or `kill` ends that."""
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL: nothing of its own clean-up runs."""
        self._process.kill()
        self._process.join()
