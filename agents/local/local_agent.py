"""The local agent: executes runs as processes of its own machine."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
from anyio import TASK_STATUS_IGNORED
from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal

from headwater.agents.agent.agent import Agent
from headwater.agents.agent.agent_settings import AgentSettings
from headwater.agents.attempt_spec import AttemptSpec, RunSnapshot
from headwater.agents.launcher import LaunchSpec
from headwater.agents.local.checkpoint_cleanup import CheckpointCleanup
from headwater.agents.local.console import BANNER, DOCUMENTATION, agent_logger, listed
from headwater.agents.local.environment import agent_environment, require_local, run_environment, working_directory
from headwater.agents.local.local_launcher import LocalLauncher
from headwater.core.aggregates import utc_now
from headwater.core.errors import LogUnavailable, SettingsError, StreamMissing
from headwater.core.log.commit import Position
from headwater.core.program import open_files
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.core.program.server_file import server_address
from headwater.core.program.settings import HOME, KEPT_VALUES_DAYS, LOG_LEVEL, LOG_LEVELS, connection_settings
from headwater.core.program.stop_signals import stop_signals
from headwater.core.runs.state import Run
from headwater.core.values.labels import label_set
from headwater.sdk.client.printing import print_escaped

if TYPE_CHECKING:
    from headwater.core.log.jetstream.log import JetStreamLog
    from headwater.sdk.language.flow import Flow

KIND = "local"
_SERVER_SECONDS = 1.0
"""How often an agent looks whether there is a log, before the first server has made it."""


class LocalAgent:
    """An agent that executes runs as processes on this machine.

    Args:
        name: shown in lists and in the audit trail; the host's name by default.
        labels: it takes runs whose labels it all has; one without labels takes runs without labels.
        hostname_label: whether this machine's name is one of its labels. Flows in Local storage have it.
        env: environment variables for its runs; stronger than the agent's own, weaker than a run config's.
        import_paths: directories from which runs can import modules.
        limit: how many runs it executes at once; as many as come by default.
        show_flow_logs: whether what runs print and log is shown here.
        log_level: of the agent and its runs.
        lease_seconds: how long at most its runs wait for another agent after its death.
        key, nats_url, home: how to reach the server; from the environment by default.
        grace_seconds: how long a run's process may take to end when it is cancelled.

    Raises:
        InvalidName, InvalidArgument, SettingsError: an argument cannot work.

    """

    def __init__(
        self,
        name: str | None = None,
        labels: Iterable[str] = (),
        *,
        hostname_label: bool = True,
        env: Mapping[str, str] | None = None,
        import_paths: Iterable[str] = (),
        limit: int | None = None,
        show_flow_logs: bool = False,
        log_level: str | None = None,
        lease_seconds: float = 10.0,
        key: str | None = None,
        nats_url: str | None = None,
        home: Path | str | None = None,
        grace_seconds: float = 10.0,
    ) -> None:
        if log_level is not None and log_level.upper() not in LOG_LEVELS:
            raise SettingsError(f"There is no log level {log_level!r}.", hint=f"It must be one of {', '.join(LOG_LEVELS)}.")
        hostname = socket.gethostname()
        self.settings = AgentSettings(
            name=name or hostname,
            kind=KIND,
            labels=label_set([*labels, hostname] if hostname_label else labels),
            limit=limit,
            lease_seconds=lease_seconds,
            grace_seconds=grace_seconds,
        )
        self._connection = connection_settings(nats_url, key, home)
        self._log: JetStreamLog | None = None
        self._show_flow_logs = show_flow_logs
        self._directory = _working_directory()
        self._environment = agent_environment(os.environ, log_level=log_level, import_paths=import_paths, extra=env)
        self._results = HOME.value(self._environment) / "results"
        self._kept_values_days = KEPT_VALUES_DAYS.value(self._environment)
        self._console_log = agent_logger(logging.getLevelNamesMapping()[(log_level or LOG_LEVEL.value()).upper()])
        self.clock: Callable[[], datetime] = utc_now
        """This machine's clock."""
        self._open_files_max = open_files.limit()
        self.agent: Agent | None = None
        """The agent at work; None before it is connected."""

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
            StreamMismatch: the log there is of another version, or none of ours.

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
                anyio.create_task_group() as tidying,
            ):
                self._log = log
                await self._wait_for_server(log)
                tidying.start_soon(CheckpointCleanup(log.events, self._results, self._kept_values_days).serve)
                launcher = LocalLauncher(
                    self._environment, show_line=_show_line if self._show_flow_logs else None, open_files_max=self._open_files_max
                )
                self.agent = Agent(log, self.settings, launcher, self._prepare, console_log=self._console_log, clock=self.clock)
                try:
                    await self.agent.serve(task_status=_Announcing(self, task_status))
                finally:
                    self.agent = None
                tidying.cancel_scope.cancel()
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
        """Say that the agent is at work."""
        self._console_log.info("Registration successful!")
        for line in BANNER.strip("\n").splitlines():
            self._console_log.info(line)
        self._console_log.info("Starting LocalAgent with labels %s", listed(self.settings.labels))
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
        require_local(created.run_config)
        spec = AttemptSpec(
            run_id=created.run_id,
            attempt=run.attempt,
            known=RunSnapshot.after_claim(run, position),
            nats_url=self._connection.nats_url if self._log is None else self._log.url,
            key=self._connection.key,
            home=str(self._connection.home) if self._connection.found_in_home else "",
            show_logs=self._show_flow_logs,
            supervised=True,
        )
        return LaunchSpec(
            environment=run_environment(self._environment, created.run_config, spec.environment()),
            directory=working_directory(created.run_config, self._directory),
        )


class _Announcing(TaskStatus[None]):
    """Says that the agent is ready where people read it, before it tells its caller."""

    def __init__(self, agent: LocalAgent, task_status: TaskStatus[None]) -> None:
        self._agent = agent
        self._task_status = task_status

    def started(self, value: None = None) -> None:
        self._agent.announce()
        self._task_status.started(value)


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"The directory in which this agent was started cannot be used: {error.strerror}.", hint="Start it in one that is there."
        ) from error


def _show_line(line: str) -> None:
    with suppress(OSError):  # nobody reads it any more, or its disk is full: no reason to end a run
        print_escaped(line)


def run_agent_for_flow(flow: Flow, *, token: str | None = None, show_flow_logs: bool = False) -> None:
    """Work as an agent that takes the runs of this flow: with its labels, its run config's, and this machine's name. Blocks.

    Raises:
        NoAgentForRunConfig: such an agent could not run the flow.

    """
    if flow.run_config is not None:
        flow.run_config.check_supported()
    labels = sorted(set(flow.run_config.labels)) if flow.run_config is not None else []
    LocalAgent(labels=labels, key=token, show_flow_logs=show_flow_logs).start()
