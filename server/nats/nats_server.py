"""The embedded nats-server: its configuration as text, and how one finds out that it is ready."""

from __future__ import annotations

import json
import os
import re
import socket
from pathlib import Path
from typing import BinaryIO

import msgspec

LOOPBACK = "127.0.0.1"
# A subscriber that stops reading makes the server buffer this much for it, then is dropped. The default of 64 MB a
# connection would let a few stuck followers take the machine's memory.
MAX_PENDING = "8MB"
_ANSWER_LIMIT_BYTES = 1 << 20


class Cluster(msgspec.Struct, frozen=True, kw_only=True):
    """One node's place in a cluster: its own port for routes, and the ports of all of its peers."""

    name: str
    port: int
    route_ports: list[int]


class NatsConf(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration of an embedded nats-server. `key` is the shared key that NATS itself enforces.

    `store_bytes_max` is how much JetStream may keep on disk; without it, it takes three quarters of what is free when it starts, and
    keeps to that for as long as it runs.
    """

    store_dir: Path
    port: int
    server_name: str = "headwater"
    key: str | None = None
    monitor_port: int | None = None
    store_bytes_max: int | None = None
    cluster: Cluster | None = None


def conf_text(conf: NatsConf) -> str:
    """The configuration file: JetStream on disk, every acknowledged message fsynced, loopback only."""
    lines = [
        f"server_name: {_quoted(conf.server_name)}",
        f"listen: {_quoted(f'{LOOPBACK}:{conf.port}')}",
        f"max_pending: {MAX_PENDING}",
        "jetstream {",
        f"  store_dir: {_quoted(str(conf.store_dir))}",
        # An acknowledged commit survives a power cut, not only a crash of the process.
        "  sync_interval: always",
        *([] if conf.store_bytes_max is None else [f"  max_file_store: {conf.store_bytes_max}"]),
        "}",
    ]
    if conf.monitor_port is not None:
        lines.append(f"http: {_quoted(f'{LOOPBACK}:{conf.monitor_port}')}")
    if conf.key is not None:
        lines += ["authorization {", f"  token: {_quoted(conf.key)}", "}"]
    if conf.cluster is not None:
        routes = ", ".join(_quoted(f"nats://{LOOPBACK}:{port}") for port in conf.cluster.route_ports)
        lines += [
            "cluster {",
            f"  name: {_quoted(conf.cluster.name)}",
            f"  listen: {_quoted(f'{LOOPBACK}:{conf.cluster.port}')}",
            f"  routes: [{routes}]",
            "}",
        ]
    return "\n".join(lines) + "\n"


def write_conf(path: Path, conf: NatsConf) -> None:
    """Writes the file for the owner's eyes only: it may hold the key. Where that fails, as on a full disk, an older one stays whole."""
    unfinished = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(conf_text(conf))
        unfinished.replace(path)
    except OSError:
        unfinished.unlink(missing_ok=True)
        raise


class NotReady(Exception):
    """An answer, not a failure: the server does not answer yet, or its JetStream does not."""


class CredentialsRefused(NotReady):
    """The server answers, and refuses these credentials, or without any."""


def ask_jetstream(port: int, *, host: str = LOOPBACK, credentials: dict[str, str] | None = None, timeout_seconds: float = 1.0) -> str:
    """Returns the name of the nats-server at this address once it lets us in and its JetStream answers a request.

    On a cluster the latter means that the node knows a leader. Blocks for about `timeout_seconds` at most.
    `credentials` are fields of the protocol's CONNECT: `auth_token`, or `user` and `pass`.

    Raises:
        CredentialsRefused: it wants others.
        NotReady: no connection, no answer in time, another refusal, or JetStream is not up yet; the reason is its text.

    """
    try:
        with socket.create_connection((host, port), timeout=timeout_seconds) as connection:
            connection.settimeout(timeout_seconds)
            with connection.makefile("rb") as reader:
                return _ask(connection, reader, credentials or {})
    except (OSError, ValueError) as error:
        raise NotReady(str(error) or type(error).__name__) from error


class StoreFailure(msgspec.Struct, frozen=True):
    """JetStream stores nothing any more until nats-server is started again: in one stream, or (None) at all."""

    error: str
    stream: str | None = None


_STREAM_FAILED = re.compile(r"JetStream stream '[^']* > (?P<stream>[^']+)' critical write error: (?P<error>.+)")
_ALL_FAILED = re.compile(r"denied while writing msg, disabling JetStream: (?P<error>.+)")


def store_failure_in(line: str) -> StoreFailure | None:
    """Return what a line of nats-server's log says of a storage that failed for good; None where it says nothing of it.

    It says so once, keeps the error to itself, and answers no publisher of that stream from then on.
    """
    found = _STREAM_FAILED.search(line) or _ALL_FAILED.search(line)
    if found is None:
        return None
    return StoreFailure(found["error"].rpartition(": ")[2], found.groupdict().get("stream"))


def token(key: str | None) -> dict[str, str]:
    """The credentials that the shared key is."""
    return {} if key is None else {"auth_token": key}


def _ask(connection: socket.socket, reader: BinaryIO, credentials: dict[str, str]) -> str:
    # One question needs no client library; and this module may not import the one the log uses.
    verb, _, body = reader.readline(_ANSWER_LIMIT_BYTES).partition(b" ")
    if verb != b"INFO":
        raise NotReady("what listens there is not a NATS server")
    info = json.loads(body)
    if not info.get("jetstream"):
        raise NotReady("JetStream is not enabled")
    connect = {"verbose": False, "pedantic": False, "lang": "python", "version": "1", "name": "headwater readiness"}
    inbox = f"_INBOX.{os.urandom(8).hex()}"
    question = f"CONNECT {json.dumps(connect | credentials)}\r\nSUB {inbox} 1\r\nPUB $JS.API.INFO {inbox} 0\r\n\r\n"
    connection.sendall(question.encode())
    while line := reader.readline(_ANSWER_LIMIT_BYTES):
        if line.startswith(b"-ERR"):
            said = line[5:].decode(errors="replace").strip().strip("'")
            # The protocol has no codes: its errors are these texts.
            raise CredentialsRefused(said) if "authorization" in said.lower() else NotReady(said)
        if line.startswith(b"MSG"):
            answer = json.loads(reader.read(int(line.split()[-1])))
            if error := answer.get("error"):
                raise NotReady(str(error.get("description", error)))
            return str(info["server_name"])
    raise NotReady("the server closed the connection")


def _quoted(text: str) -> str:
    # Quoted always: an unquoted value that starts with $ would be read as a variable.
    return json.dumps(text, ensure_ascii=False)
