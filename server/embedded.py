"""The two servers inside the server, as programs to supervise in a home."""

from __future__ import annotations

import secrets
import signal
from functools import partial
from pathlib import Path

from anyio import to_thread

from headwater.server import postgres
from headwater.server.child_process import find_nats_server, find_postgres_programs
from headwater.server.home import Home, usable
from headwater.server.leftovers import end_leftover
from headwater.server.nats_server import NatsConf, NotReady, ask_jetstream, token, write_conf
from headwater.server.supervisor import Program

_NATS_STOP_SIGNAL = signal.SIGTERM
_POSTGRES_STOP_SECONDS = 30.0
"""Its last checkpoint may have much to write; killing it means a recovery at the next start."""


def end_leftovers(home: Home) -> None:
    """Ends what a killed server of this home left running. Blocks; call it while the home is held, before anything is started."""
    end_leftover(_nats_pid_file(home), stop_signal=_NATS_STOP_SIGNAL)
    end_leftover(_postgres_pid_file(home), stop_signal=postgres.STOP_SIGNAL)


def nats_program(home: Home, *, port: int, key: str | None, monitor_port: int | None) -> Program:
    """The nats-server that keeps this home's log. Writes its configuration.

    Raises:
        ServerPartMissing: nats-server is not installed.
        HomeUnusable: the configuration cannot be written.

    """
    program = find_nats_server()
    # By its name we know our own server from a stranger that took the port in between.
    name = f"headwater-{secrets.token_hex(4)}"
    conf = home.nats_dir / "nats.conf"
    settings = NatsConf(store_dir=home.nats_dir / "data", port=port, server_name=name, key=key, monitor_port=monitor_port)
    with usable(home):
        write_conf(conf, settings)

    async def is_ready(_pid: int) -> bool:
        try:
            answered = await to_thread.run_sync(partial(ask_jetstream, port, credentials=token(key)))
        except NotReady:
            return False
        return answered == name

    return Program(
        name="nats-server",
        command=lambda: [program, "-c", conf],
        is_ready=is_ready,
        log=home.logs_dir / "nats.log",
        pid_file=_nats_pid_file(home),
        stop_signal=_NATS_STOP_SIGNAL,
    )


def postgres_place(home: Home) -> postgres.PostgresPlace:
    """Where this home's PostgreSQL keeps its data and its socket."""
    return postgres.PostgresPlace(data_dir=home.postgres_dir / "data", socket_dir=postgres.choose_socket_dir(home.socket_dir))


def postgres_program(home: Home) -> Program:
    """The PostgreSQL that keeps this home's views; its data directory is made before its first start.

    Raises:
        ServerPartMissing: PostgreSQL is not installed.
        PartFailed: we are root, and there is no account it could run as.

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
        prepare=partial(postgres.prepare, place),
    )


def _nats_pid_file(home: Home) -> Path:
    return home.nats_dir / "nats.pid"


def _postgres_pid_file(home: Home) -> Path:
    return home.postgres_dir / "postgres.pid"
