"""The local agent: executes runs as processes of its own machine."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from headwater.agents.agent.agent_program import AgentProgram
from headwater.agents.agent.agent_settings import AgentSettings
from headwater.agents.attempt_spec import AttemptSpec
from headwater.agents.launcher import LaunchSpec
from headwater.agents.local.checkpoint_cleanup import CheckpointCleanup
from headwater.agents.local.environment import agent_environment, require_local, run_environment, working_directory
from headwater.agents.local.local_launcher import LocalLauncher
from headwater.core.errors import InvalidArgument, SettingsError
from headwater.core.log.protocol import Log
from headwater.core.program import open_files
from headwater.core.program.concurrency import Service
from headwater.core.program.settings import HOME, KEPT_VALUES_DAYS, LOG_LEVEL, LOG_LEVELS, connection_settings
from headwater.core.runs.state import Run
from headwater.core.values.labels import label_set
from headwater.sdk.client.printing import print_escaped

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow

KIND = "local"


class LocalAgent(AgentProgram):
    """An agent that executes runs as processes on this machine.

    Args:
        name: shown in lists and in the audit trail; the host's name by default.
        labels: it takes runs whose labels it all has; one without labels takes runs without labels.
        hostname_label: whether this machine's name is one of its labels. Flows in Local storage have it.
        env: environment variables for its runs; stronger than the agent's own, weaker than a run config's.
        import_paths: directories from which runs can import modules.
        limit: how many runs it executes at once; as many as come by default.
        spares: how many processes it keeps ready for runs; twice as many as there are processors by default.
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
        spares: int | None = None,
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
        settings = AgentSettings(
            name=name or hostname,
            kind=KIND,
            labels=label_set([*labels, hostname] if hostname_label else labels),
            limit=limit,
            lease_seconds=lease_seconds,
            grace_seconds=grace_seconds,
        )
        connection = connection_settings(nats_url, key, home)
        self._directory = _working_directory()
        self._environment = agent_environment(os.environ, log_level=log_level, import_paths=import_paths, extra=env)
        self._results = HOME.value(self._environment) / "results"
        self._kept_values_days = KEPT_VALUES_DAYS.value(self._environment)
        self._open_files_max = open_files.limit()
        if spares is not None and spares < 0:
            raise InvalidArgument(f"An agent's spares must be at least 0, not {spares}.")
        self._spares_max = spares
        level = logging.getLevelNamesMapping()[(log_level or LOG_LEVEL.value()).upper()]
        super().__init__(settings, connection, log_level=level, show_flow_logs=show_flow_logs)

    def make_launcher(self) -> LocalLauncher:
        """Return what starts runs as processes of this machine."""
        show_line = _show_line if self._show_flow_logs else None
        return LocalLauncher(
            self._environment,
            self.supervisor_connection(),
            show_line=show_line,
            open_files_max=self._open_files_max,
            spares_max=self._spares_max,
            runs_max=self.settings.limit,
        )

    def make_launch_spec(self, run: Run, attempt: AttemptSpec) -> LaunchSpec:
        """Return the environment and the directory of the run's process.

        Raises:
            CannotLaunch: the run config is for agents of another kind, or the directory is not there.

        """
        run_config = run.created.run_config
        require_local(run_config)
        environment = run_environment(self._environment, run_config, attempt.environment())
        return LaunchSpec(environment=environment, directory=working_directory(run_config, self._directory), attempt=attempt)

    def services(self, log: Log) -> list[Service]:
        """Return the clean-up of values that runs of this machine kept."""
        return [CheckpointCleanup(log.events, self._results, self._kept_values_days)]


def _working_directory() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise SettingsError(
            f"The directory in which this agent was started cannot be used: {error.strerror}.", hint="Start it in one that is there."
        ) from error


def _show_line(line: str) -> None:
    with suppress(OSError):  # no program reads it any more, or its disk is full: no reason to end a run
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
