"""An agent as a program: it connects, waits for the server, says what it does, and obeys signals. The same for every kind of agent."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import CancelledError
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal

from headwater.agents.agent.agent import Agent
from headwater.agents.agent.agent_settings import AgentSettings
from headwater.agents.agent.console import BANNER, DOCUMENTATION, agent_logger, listed
from headwater.agents.attempt_spec import AttemptSpec, RunSnapshot
from headwater.agents.launcher import Launcher, LaunchSpec
from headwater.agents.supervisor_protocol import Connect
from headwater.core.aggregates import utc_now
from headwater.core.errors import LogUnavailable, StreamMissing
from headwater.core.log.commit import Position
from headwater.core.log.protocol import Log
from headwater.core.program import open_files
from headwater.core.program.concurrency import Service
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.program.server_file import server_address
from headwater.core.program.settings import ConnectionSettings
from headwater.core.program.stop_signals import stop_signals
from headwater.core.runs.state import Run

if TYPE_CHECKING:
    from headwater.core.log.jetstream.log import JetStreamLog

_SERVER_SECONDS = 1.0
"""How often an agent looks whether there is a log, before the first server has made it."""


class AgentProgram(ABC):
    """What all kinds of agents have in common. A kind says by which launcher its runs start, and with what environment.

    `log_level` is Python's number. `show_flow_logs`: whether what runs log is written to where their output goes.
    """

    def __init__(self, settings: AgentSettings, connection: ConnectionSettings, *, log_level: int, show_flow_logs: bool = False) -> None:
        self.settings = settings
        self.clock: Callable[[], datetime] = utc_now
        """This machine's clock."""
        self.agent: Agent | None = None
        """The running agent; None before it is connected."""
        self._connection = connection
        self._log: Log | None = None
        self._show_flow_logs = show_flow_logs
        self._console_log = agent_logger(log_level)

    @abstractmethod
    def make_launcher(self) -> Launcher:
        """Return what starts the runs of this agent."""

    @abstractmethod
    def make_launch_spec(self, run: Run, attempt: AttemptSpec) -> LaunchSpec:
        """Return how to launch the attempt.

        Raises:
            CannotLaunch: an agent of this kind can never launch it.

        """

    def supervisor_connection(self) -> Connect:
        """Return how a supervisor of this agent's runs reaches the log."""
        return Connect(
            nats_url=self._connection.nats_url if self._log is None else self._log.url,
            name=f"headwater supervisor of agent {self.settings.name}",
            key=self._connection.key,
            home=str(self._connection.home) if self._connection.found_in_home else "",
        )

    def services(self, log: Log) -> list[Service]:  # noqa: ARG002 - most have none
        """Return what else runs as long as this agent does."""
        return []

    @property
    def labels(self) -> list[str]:
        return list(self.settings.labels)

    def start(self) -> None:
        """Work until Ctrl-C, SIGTERM or SIGHUP.

        The first lets the runs that are being executed finish, a second one hands them back to other agents, a third one ends at once.
        An agent whose log takes nothing ends within a minute of the first, and says what was not recorded.

        Raises:
            LogUnavailable: no server answers.
            AuthenticationFailed: the server wants another key.
            StreamMismatch: the log there is of another version, or not one of Headwater.

        """
        open_files.raise_limit()
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            anyio.run(self._until_told_to_stop, backend="asyncio")
        else:
            self._start_beside_a_loop()

    async def _until_told_to_stop(self) -> None:
        with unwrap_exception_group():
            async with anyio.create_task_group() as group:
                if threading.current_thread() is threading.main_thread():
                    group.start_soon(self._obey_signals, group.cancel_scope)
                await self.serve()
                group.cancel_scope.cancel()

    def _start_beside_a_loop(self) -> None:
        """Work in a thread and block all the same: in a notebook, this thread's loop runs already."""
        with start_blocking_portal("asyncio") as portal:
            working = portal.start_task_soon(self.serve)
            asked = 0
            while True:
                try:
                    working.result()
                except KeyboardInterrupt:
                    asked += 1
                    if self.agent is None:
                        working.cancel()
                    else:
                        portal.start_task_soon(self._asked_to_stop, self.agent, asked)
                except CancelledError:
                    return
                else:
                    return

    async def serve(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Work until cancelled, or until told to stop and the last run is over. Raises as `start`."""
        from headwater.core.log.jetstream import open_log

        self._console_log.info("Registering agent...")
        connection = self._connection
        look_up = partial(server_address, connection.home) if connection.found_in_home and connection.home is not None else None
        with unwrap_exception_group():
            async with (
                open_log(connection.nats_url, key=connection.key, name=f"headwater agent {self.settings.name}", look_up=look_up) as log,
                anyio.create_task_group() as beside,
            ):
                self._log = log
                await self._wait_for_server(log)
                for service in self.services(log):
                    beside.start_soon(service.serve)
                self.agent = Agent(log, self.settings, self.make_launcher(), self._prepare, console_log=self._console_log, clock=self.clock)
                try:
                    await self.agent.serve(task_status=_Announcing(self, task_status))
                finally:
                    self.agent = None
                beside.cancel_scope.cancel()
        self._console_log.info("Agent stopped.")

    async def _wait_for_server(self, log: JetStreamLog) -> None:
        """Return when a Headwater server has made the log. NATS may be there before the first one."""
        told = False
        while True:
            try:
                await log.check_streams()
            except (StreamMissing, LogUnavailable) as error:
                if not told:
                    self._console_log.warning("%s This agent waits for a server to make it.", error)
                told = True
            else:
                return
            await anyio.sleep(_SERVER_SECONDS)

    def announce(self) -> None:
        """Say that the agent is online."""
        self._console_log.info("Registration successful!")
        for line in BANNER.strip("\n").splitlines():
            self._console_log.info(line)
        self._console_log.info("Starting %s with labels %s", type(self).__name__, listed(self.settings.labels))
        self._console_log.info("Agent documentation can be found at %s", DOCUMENTATION)
        self._console_log.info("Waiting for flow runs...")

    async def _obey_signals(self, everything: anyio.CancelScope) -> None:
        with anyio.open_signal_receiver(*stop_signals()) as signals:
            asked = 0
            async with anyio.create_task_group() as group:
                async for _ in signals:
                    asked += 1
                    if self.agent is None:
                        everything.cancel()
                        return
                    group.start_soon(self._asked_to_stop, self.agent, asked)

    async def _asked_to_stop(self, agent: Agent, times: int) -> None:
        """Let the runs finish when asked the first time, hand them back the second time, end at once the third time; and say so."""
        names = ", ".join(f"'{held.name}'" for held in agent.held)
        if times == 1:
            self._console_log.info("Stopping: no more runs are taken.")
            if names:
                self._console_log.info("Waiting for these runs to finish: %s. Once more hands them back.", names)
            agent.stop_taking()
        elif times == 2:  # noqa: PLR2004 - counted as people do
            if names:
                self._console_log.info("Handing back: %s.", names)
            await agent.release_runs()
        else:
            agent.give_up()

    def _prepare(self, run: Run, position: Position) -> LaunchSpec:
        created = run.created
        attempt = AttemptSpec(
            run_id=created.run_id,
            attempt=run.attempt,
            known=RunSnapshot.after_claim(run, position),
            nats_url=self._connection.nats_url if self._log is None else self._log.url,
            key=self._connection.key,
            show_logs=self._show_flow_logs,
        )
        return self.make_launch_spec(run, attempt)


class _Announcing(TaskStatus[None]):
    """Says that the agent is ready where people read it, before it tells its caller."""

    def __init__(self, agent: AgentProgram, task_status: TaskStatus[None]) -> None:
        self._agent = agent
        self._task_status = task_status

    def started(self, value: None = None) -> None:
        self._agent.announce()
        self._task_status.started(value)
