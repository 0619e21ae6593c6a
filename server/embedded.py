"""The two servers inside the server, as programs to supervise in a home."""

from __future__ import annotations

import logging
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import anyio
import msgspec
import psutil
from anyio import to_thread

from headwater.server.errors import HomeUnusable
from headwater.server.home import Home, usable
from headwater.server.nats.nats_server import NatsConf, NotReady, StoreFailure, ask_jetstream, store_failure_in, token, write_conf
from headwater.server.postgres import postgres
from headwater.server.supervision.child_process import find_nats_server, find_postgres_programs
from headwater.server.supervision.log_room import file_system_bytes, has_room
from headwater.server.supervision.orphan_cleanup import end_orphan
from headwater.server.supervision.supervisor import Program, Supervisor

logger = logging.getLogger(__name__)

_NATS_STOP_SIGNAL = signal.SIGTERM
_ROOM_INTERVAL_SECONDS = 0.5
_POSTGRES_STOP_SECONDS = 30.0
"""Its last checkpoint may have much to write; killing it means a recovery at the next start."""


def end_leftovers(home: Home) -> None:
    """Ends what a killed server of this home left running. Blocks; call it while the home is held, before anything is started."""
    end_orphan(_nats_pid_file(home), stop_signal=_NATS_STOP_SIGNAL)
    end_orphan(_postgres_pid_file(home), stop_signal=postgres.STOP_SIGNAL)


class EmbeddedNats:
    """The nats-server that keeps this home's log, as a program to supervise, and how its store fares.

    Its configuration is written before each start: how much it may keep follows the size of the file system.

    Raises, when made:
        ServerPartMissing: nats-server is not installed.
    """

    def __init__(self, home: Home, *, port: int, key: str | None, monitor_port: int | None) -> None:
        self._home = home
        self._key = key
        self._conf_file = home.nats_dir / "nats.conf"
        self._supervisor: Supervisor | None = None
        self._failures: list[StoreFailure] = []
        # By its name we know our own server from a stranger that took the port in between.
        self._conf = NatsConf(
            store_dir=home.nats_dir / "data",
            port=port,
            server_name=f"headwater-{secrets.token_hex(4)}",
            key=key,
            monitor_port=monitor_port,
        )
        executable = find_nats_server()
        self.program = Program(
            name="nats-server",
            command=lambda: [executable, "-c", self._conf_file],
            is_ready=self._is_ready,
            log=home.logs_dir / "nats.log",
            pid_file=_nats_pid_file(home),
            stop_signal=_NATS_STOP_SIGNAL,
            prepare=self._prepare,
            hear=self._hear,
            until_startable=partial(_until_room, "nats-server", home.nats_dir),
        )

    def supervisor(self, *, stopping: Callable[[], bool] = lambda: False) -> Supervisor:
        """The service that keeps it running. `stopping` tells whether everything is about to end."""
        self._supervisor = Supervisor(self.program, stopping=stopping)
        return self._supervisor

    def restart(self, why: str) -> None:
        """Have it ended in order and started again; `why` is for the server's log."""
        if self._supervisor is not None:
            self._supervisor.restart(why)

    def halt(self) -> None:
        """End it at once, and start it again when there is room. What it acknowledged is on disk."""
        if self._supervisor is not None:
            self._supervisor.restart("it hangs on a full disk, and takes ever more memory")
            self._supervisor.signal(signal.SIGKILL)

    @property
    def store_dir(self) -> Path:
        """The folder whose file system must have room."""
        return self._home.nats_dir

    @property
    def store_bytes_max(self) -> int | None:
        """The most that JetStream keeps on disk, as it was told at its last start."""
        return self._conf.store_bytes_max

    def store_failures(self) -> list[StoreFailure]:
        """Return what has failed for good in JetStream's store since its last start, as its log told."""
        return list(self._failures)

    def _hear(self, line: str) -> None:
        if (failure := store_failure_in(line)) is not None:
            self._failures.append(failure)

    def memory_bytes(self) -> int:
        """Return how much memory it holds; 0 while it does not run."""
        pid = None if self._supervisor is None else self._supervisor.pid
        try:
            return 0 if pid is None else int(psutil.Process(pid).memory_info().rss)
        except psutil.Error:
            return 0

    def keep_limit(self) -> None:
        """Let JetStream keep as much as the file system holds, where that has grown. Blocks.

        Raises:
            OSError: the file system cannot be looked at.

        """
        size = file_system_bytes(self.store_dir)
        if self._supervisor is None or self._conf.store_bytes_max is None or size < 1.01 * self._conf.store_bytes_max:
            return  # nats-server takes no lower limit while it runs, and needs none: the disk is one
        self._conf = msgspec.structs.replace(self._conf, store_bytes_max=size)
        write_conf(self._conf_file, self._conf)
        self._supervisor.signal(signal.SIGHUP)

    def _prepare(self) -> None:
        _refuse_removed(self._home)
        self._failures.clear()
        conf = msgspec.structs.replace(self._conf, store_bytes_max=file_system_bytes(self.store_dir))
        try:
            write_conf(self._conf_file, conf)
        except OSError as error:
            if self._conf.store_bytes_max is None:
                with usable(self._home):
                    raise
            logger.warning("nats-server is started with its former configuration: %s", error)
        else:
            self._conf = conf

    async def _is_ready(self, _pid: int) -> bool:
        try:
            answered = await to_thread.run_sync(partial(ask_jetstream, self._conf.port, credentials=token(self._key)))
        except NotReady:
            return False
        return answered == self._conf.server_name


def postgres_place(home: Home) -> postgres.PostgresPaths:
    """Where this home's PostgreSQL keeps its data and its socket."""
    return postgres.PostgresPaths(data_dir=home.postgres_dir / "data", socket_dir=postgres.choose_socket_dir(home.socket_dir))


def postgres_program(home: Home) -> Program:
    """The PostgreSQL that keeps this home's views; its data directory is made before its first start.

    Raises:
        ServerPartMissing: PostgreSQL is not installed.
        ComponentFailed: we are root, and there is no account it could run as.

    """
    find_postgres_programs()
    place = postgres_place(home)

    async def is_ready(pid: int) -> bool:
        return postgres.is_ready(place, pid)

    return Program(
        name="PostgreSQL",
        command=lambda: postgres.server_command(place),
        user=postgres.account(),
        is_ready=is_ready,
        log=home.logs_dir / "postgres.log",
        pid_file=_postgres_pid_file(home),
        stop_signal=postgres.STOP_SIGNAL,
        stop_seconds=_POSTGRES_STOP_SECONDS,
        environment=postgres.program_environment(),
        prepare=partial(_prepare_postgres, home, place),
        until_startable=partial(_until_room, "PostgreSQL", home.postgres_dir),
    )


def _nats_pid_file(home: Home) -> Path:
    return home.nats_dir / "nats.pid"


def _postgres_pid_file(home: Home) -> Path:
    return home.postgres_dir / "postgres.pid"


def _prepare_postgres(home: Home, place: postgres.PostgresPaths) -> None:
    _refuse_removed(home)
    postgres.prepare(place)


def _refuse_removed(home: Home) -> None:
    """Refuse to start anything again in a home that is gone: half of one would be made, which no server holds."""
    if not home.lock_file.exists():
        raise HomeUnusable(
            home.path, "it was removed while its server runs", hint="Stop the server; start it again in a home that is there."
        )


@contextmanager
def socket_folder_removed(home: Home) -> Iterator[None]:
    """Remove the folder of PostgreSQL's socket when the block ends, where it lies outside the home, whose path is too long for one."""
    try:
        yield
    finally:
        folder = postgres_place(home).socket_dir
        if folder != home.socket_dir:
            with suppress(OSError):  # it was never made, or something of another program is in it
                folder.rmdir()


async def _until_room(name: str, folder: Path) -> None:
    """Return when a program has room to start in; on a full disk it would only fail again."""
    if not has_room(folder):
        logger.error("%s is not started before there is room in %s", name, folder)
    while not has_room(folder):  # noqa: ASYNC110 - a file system sends no events
        await anyio.sleep(_ROOM_INTERVAL_SECONDS)
