"""Real servers for tests: nats-server nodes, a three-node cluster, and a PostgreSQL with a fresh database per test.

Everything here is synchronous and may be called from async tests: the servers are other processes. Call `start` from
the test's own thread (on Linux a server ends with the *thread* that started it).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from headwater.server.nats.nats_server import Cluster, NatsConf, NotReady, ask_jetstream, token, write_conf
from headwater.server.postgres import postgres
from headwater.server.supervision.child_process import ended_with_parent, find_nats_server, find_postgres_programs

START_SECONDS = 30.0

T = TypeVar("T")


def wait_for(fact: Callable[[], bool], what: str, *, timeout_seconds: float = START_SECONDS) -> None:
    """Returns as soon as `fact` holds; fails with `what` in the message when it does not in time."""
    deadline = time.monotonic() + timeout_seconds
    while not fact():
        assert time.monotonic() < deadline, f"not within {timeout_seconds:.0f} s: {what}"
        time.sleep(0.005)


_PORTS = range(12_000, 32_000)
"""Below those that the system gives to outgoing connections: a port chosen here is not taken between choosing and listening."""

_chance = random.SystemRandom()


def free_ports(count: int) -> list[int]:
    """Ports no program listens on, all different, kept from other test processes for as long as this one lives."""
    folder = Path(tempfile.gettempdir()) / "headwater-test-ports"
    folder.mkdir(exist_ok=True)
    found: list[int] = []
    while len(found) < count:
        port = _chance.choice(_PORTS)
        # The descriptor stays open, and with it the reservation, until this process ends.
        reservation = os.open(folder / str(port), os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(reservation, fcntl.LOCK_EX | fcntl.LOCK_NB)
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            os.close(reservation)
            continue
        found.append(port)
    return found


class NatsNode:
    """One real nats-server with JetStream on disk (fsynced on every acknowledgement), kept under `directory`.

    `url` and `monitor_url` stay the same over `stop`/`kill` and `start`; so does the data.
    """

    def __init__(self, directory: Path, *, key: str | None = None, name: str = "headwater", cluster: Cluster | None = None) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.name, self.key = name, key
        self.port, self.monitor_port = free_ports(2)
        self.url = f"nats://127.0.0.1:{self.port}"
        self.monitor_url = f"http://127.0.0.1:{self.monitor_port}"
        self.log = directory / "nats.log"
        self._conf = NatsConf(
            store_dir=directory / "data",
            port=self.port,
            server_name=name,
            key=key,
            monitor_port=self.monitor_port,
            cluster=cluster,
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, *, wait: bool = True) -> None:
        """Starts it; with `wait`, returns when its JetStream answers (on a cluster: when it knows a leader)."""
        assert not self.running, f"{self.name} already runs"
        assert threading.current_thread() is threading.main_thread(), "a server ends with the thread that started it"
        conf = self.directory / "nats.conf"
        write_conf(conf, self._conf)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ended_with_parent([find_nats_server(), "-c", conf], death_signal=signal.SIGKILL), stdout=log, stderr=log
            )
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        wait_for(self.is_ready, f"{self.name} ready; see {self.log}")

    def is_ready(self) -> bool:
        assert self.running, f"{self.name} ended: {self.log.read_text()[-1500:]}"
        try:
            ask_jetstream(self.port, credentials=token(self.key))
        except NotReady:
            return False
        return True

    def stop(self) -> None:
        """Ends it in order (SIGTERM) and waits for its end. Does nothing when it does not run."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once (SIGKILL) and waits for its end. Does nothing when it does not run."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freezes it (SIGSTOP): connections stay open, nothing answers. `resume` or `kill` ends that."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def monitor(self, path: str) -> Any:
        """What the server's own monitoring says, e.g. `monitor("varz")["in_msgs"]`, `monitor("jsz?streams=1")`."""
        with urllib.request.urlopen(f"{self.monitor_url}/{path}", timeout=5) as answer:
            return msgspec.json.decode(answer.read())

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            if how is not signal.SIGKILL:
                self._process.send_signal(signal.SIGCONT)
        self._process.wait(timeout=START_SECONDS)


class NatsCluster:
    """Three real nats-server processes, connected by routes on loopback: what is R3 in production is R3 here."""

    def __init__(self, directory: Path, *, size: int = 3, key: str | None = None) -> None:
        ports = free_ports(size)
        self.nodes = [
            NatsNode(
                directory / f"n{index}",
                name=f"n{index}",
                key=key,
                cluster=Cluster(name="headwater", port=port, route_ports=ports),
            )
            for index, port in enumerate(ports, start=1)
        ]

    @property
    def url(self) -> str:
        """All addresses, comma-separated."""
        return ",".join(self.urls)

    @property
    def urls(self) -> list[str]:
        return [node.url for node in self.nodes]

    def start(self) -> None:
        """Starts every node that does not run; returns when each of them knows a leader."""
        for node in self.nodes:
            if not node.running:
                node.start(wait=False)
        for node in self.nodes:
            node.wait_until_ready()
        wait_for(self._peers_known, "every node sees every peer")

    def stop(self) -> None:
        for node in self.nodes:
            node.kill()

    def node(self, name: str) -> NatsNode:
        return next(node for node in self.nodes if node.name == name)

    def leader_of(self, stream: str) -> NatsNode:
        """The node that leads this stream now; waits while there is an election."""
        found: list[str] = []

        def known() -> bool:
            found[:] = [name for node in self.nodes if node.running for name in self._leaders_seen_by(node, stream)]
            return bool(found) and self.node(found[0]).running

        wait_for(known, f"a running leader of {stream}")
        return self.node(found[0])

    def _leaders_seen_by(self, node: NatsNode, stream: str) -> list[str]:
        account = node.monitor("jsz?accounts=1&streams=1").get("account_details") or []
        details = [detail for each in account for detail in each.get("stream_detail") or []]
        return [leader for each in details if each["name"] == stream and (leader := each["cluster"].get("leader"))]

    def _peers_known(self) -> bool:
        # A stream of three replicas cannot be made before the leader has heard of three peers.
        answers = [node.monitor("jsz").get("meta_cluster") or {} for node in self.nodes]
        return all(answer.get("cluster_size") == len(self.nodes) and answer.get("leader") for answer in answers)


_MEMORY_IN_USE = "pre-existing shared memory block"


class Postgres:
    """A real PostgreSQL 18, without fsync; `create_database` gives each test one of its own."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        self.place = postgres.PostgresPaths(data_dir=directory / "data", socket_dir=postgres.choose_socket_dir(directory / "run"))
        self.log = directory / "postgres.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._said_before = 0
        self._made = 0

    @property
    def pid(self) -> int:
        assert self._process is not None, "PostgreSQL was never started"
        return self._process.pid

    def start(self) -> None:
        assert threading.current_thread() is threading.main_thread(), "a server ends with the thread that started it"
        postgres.prepare(self.place)
        self._spawn()
        wait_for(self._ready, f"PostgreSQL ready; see {self.log}")

    def _spawn(self) -> None:
        self._said_before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ended_with_parent(
                    postgres.server_command(self.place, durable=False),
                    death_signal=postgres.STOP_SIGNAL,
                    user=postgres.account(),
                ),
                stdout=log,
                stderr=log,
                env=postgres.program_environment(),
            )

    def _ready(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            said = self.log.read_bytes()[self._said_before :].decode(errors="replace")
            # The workers of one that was killed end a moment after it, and hold its memory until then.
            assert _MEMORY_IN_USE in said, f"PostgreSQL ended: {said[-1500:]}"
            self._spawn()
        return postgres.is_ready(self.place, self._process.pid)

    def stop(self) -> None:
        """Ends it in order; clients are sent away."""
        self._end(postgres.STOP_SIGNAL)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            if self._process.poll() is None:
                self._process.send_signal(how)
            self._process.wait(timeout=START_SECONDS)

    def create_database(self) -> str:
        """A new empty database; returns its address. About 50 ms."""
        self._made += 1
        name = f"test_{self._made}"
        # Copying files beats logging every page when no test waits for the disk.
        self.sql(f"CREATE DATABASE {name} STRATEGY FILE_COPY")
        return self.place.database_url(name)

    def drop_database(self, url: str) -> None:
        name = url.partition("@/")[2].partition("?")[0]
        self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def sql(self, statement: str, *, database: str = "postgres") -> str:
        """Runs one statement by psql; returns unaligned rows."""
        command: list[str | Path] = [
            *(find_postgres_programs() / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"),
            *("-d", self.place.database_url(database), "-c", statement),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout


async def eventually(
    fact: Callable[[], Awaitable[T]], what: str, *, but_for: tuple[type[Exception], ...], timeout_seconds: float = 30.0
) -> T:
    """The answer of `fact`, asked again for as long as it raises one of `but_for`; fails when that never ends."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return await fact()
        except but_for as error:
            if time.monotonic() >= deadline:
                raise AssertionError(f"not within {timeout_seconds:.0f} s: {what}") from error
            await asyncio.sleep(0.01)
