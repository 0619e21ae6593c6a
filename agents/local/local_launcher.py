"""Starts runs as processes on this machine: through a zygote, and with a supervisor that speaks to the log for them."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskGroup, TaskStatus

from headwater.agents.attempt_spec import mark_in
from headwater.agents.errors import LauncherGone, LaunchFailed
from headwater.agents.launcher import AttemptListener, LaunchSpec
from headwater.agents.launcher_protocol import Launch
from headwater.agents.local.environment import needs_cold_start
from headwater.agents.local.kept_program import KeptProgram
from headwater.agents.local.local_process import LocalProcess
from headwater.agents.local.supervisor_client import SupervisorClient
from headwater.agents.local.zygote_client import ZygoteClient, ZygoteLimits
from headwater.agents.shortages import shortage
from headwater.agents.supervisor_protocol import Connect
from headwater.core.program import open_files

SPARES_PER_CPU = 2
NOBODY = AttemptListener()


class LocalLauncher:
    """Starts runs as processes of this machine. When it ends, or its process dies in any way, they end.

    `environment` is what the zygote itself runs with: runs that differ from it only in variables read at run time start warm.
    `connect` says where the log is. `show_line` gets each line that runs print. `open_files_max`: how many files each process may have
    open; as many as this one by default. `spares_max`: how many processes are kept ready for runs, of which there are up to `runs_max` at
    once; twice as many as processors by default. `retry_seconds`: the first pause before a process that this needs is tried again; the
    pauses grow.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        connect: Connect,
        *,
        show_line: Callable[[str], None] | None = None,
        open_files_max: int | None = None,
        spares_max: int | None = None,
        runs_max: int | None = None,
        retry_seconds: float = 1.0,
    ) -> None:
        self._environment = dict(environment)
        self._show_line = show_line
        limits = ZygoteLimits(
            open_files.limit() if open_files_max is None else open_files_max,
            SPARES_PER_CPU * (os.cpu_count() or 1) if spares_max is None else spares_max,
            runs_max,
        )
        self._group: TaskGroup | None = None
        self._zygote = KeptProgram(lambda on_end: ZygoteClient(self._environment, limits, on_end=on_end), retry_seconds=retry_seconds)
        self._supervisor = KeptProgram(
            lambda on_end: SupervisorClient(self._environment, connect, on_end=on_end), retry_seconds=retry_seconds
        )
        self._launches = 0

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Keep a zygote and a supervisor alive; new ones take the place of those that died.

        Raises:
            LauncherGone: the first ones could not be made, or ended before they were ready; their errors are on the standard error output.

        """
        async with anyio.create_task_group() as self._group:
            try:
                async with anyio.create_task_group() as starting:
                    for program in (self._zygote, self._supervisor):
                        starting.start_soon(self._group.start, program.serve)
            except* LauncherGone as gone:
                raise LauncherGone(f"No process can be started here: {gone.exceptions[0]}.") from gone
            task_status.started()
            await anyio.sleep_forever()

    async def launch(self, spec: LaunchSpec, listener: AttemptListener = NOBODY) -> LocalProcess:
        """Start the attempt's process; it is there when this returns.

        Raises:
            LaunchFailed: no process can be started now.
            LauncherGone: a process that this needs died just now.

        """
        zygote, supervisor = await self._zygote.current(), await self._supervisor.current()
        self._launches += 1
        launch_id = self._launches
        request = Launch(
            launch_id=launch_id,
            environment=dict(spec.environment),
            directory=str(spec.directory),
            cold=needs_cold_start(spec.environment, self._environment),
        )
        try:
            run = LocalProcess(
                partial(zygote.signal, launch_id),
                end_soon=self._end_soon,
                close_session=None if spec.attempt is None else partial(supervisor.note_process_ended, launch_id),
                show_line=self._show_line,
                listener=listener,
                mark=mark_in(request.environment),
            )
        except OSError as error:
            raise LaunchFailed(shortage(error)) from error
        assert self._group is not None
        self._group.start_soon(run.serve)
        try:
            try:
                await zygote.order(request, run)
                if spec.attempt is not None:
                    await supervisor.attend(launch_id, spec.attempt, run)
            finally:
                run.close_ends_of_others()
            await run.started()
        except (LauncherGone, LaunchFailed):
            run.abandon()
            raise
        return run

    def _end_soon(self, run: LocalProcess, grace_seconds: float) -> None:
        assert self._group is not None
        self._group.start_soon(partial(run.stop, grace_seconds=grace_seconds))
