"""Whether a stream could store an append, as its leader tells: nothing is written for it.

Tried on three nodes (docs/decisions/0006): a leader that has lost its followers goes on answering reads and refusing what does not meet
expectations for 20 s; what tells within four is how long ago it heard each of them.
"""

from __future__ import annotations

import time

import msgspec
from nats.aio.msg import Msg

from headwater.core.errors import LogNotWritable, LogUnavailable, RequestTimeout
from headwater.core.log.jetstream.codec import EVENTS, WORK, ApiAnswer
from headwater.core.log.jetstream.connection import Connection

CLUSTER_SECONDS = 1.5
"""How long a cluster is asked what it lacks."""
SILENT_SECONDS = 3.5
"""A follower is heard about every second, also where nothing is appended; one that was not for so long does not answer."""


class Replica(msgspec.Struct, frozen=True):
    """A node that keeps a copy; `active` is how many nanoseconds ago its leader heard it."""

    name: str = ""
    offline: bool = False
    active: int = 0


class Copies(msgspec.Struct, frozen=True):
    """Which nodes keep a stream: its leader, and the others; where there is no leader, all."""

    leader: str = ""
    replicas: list[Replica] = []


class _Info(ApiAnswer, frozen=True):
    cluster: Copies | None = None


def _read_info(message: Msg) -> _Info:
    return msgspec.json.decode(message.data, type=_Info)


def missing_majority(stream: str, copies: Copies) -> str | None:
    """Say that too few of the stream's nodes answer; None where enough do."""
    if not copies.leader:
        return f"no node of the NATS cluster leads {stream}: a majority of its {len(copies.replicas)} nodes is missing, or being elected"
    answering = 1 + sum(not each.offline and each.active < SILENT_SECONDS * 10**9 for each in copies.replicas)
    nodes = 1 + len(copies.replicas)
    if 2 * answering > nodes:
        return None
    return f"the majority of the NATS cluster is missing: {answering} of the {nodes} nodes that keep {stream} answers"


async def write_problem(connection: Connection, *, timeout_seconds: float) -> str | None:
    """Return why the log takes no writes; see `Log.write_problem`."""
    deadline = time.monotonic() + timeout_seconds
    for stream in (EVENTS, WORK):
        subject = f"$JS.API.STREAM.INFO.{stream}"
        try:
            info = await connection.ask(subject, b"", _read_info, timeout=max(0.0, deadline - time.monotonic()))
        except RequestTimeout as error:
            if connection.in_cluster:
                return f"no node of the NATS cluster answers for {stream}: its majority is missing, or being elected"
            return f"its JetStream does not answer ({error.reason})"
        except LogUnavailable as error:
            return f"its NATS server does not answer ({error.reason})"
        if info.error is not None:
            return f"{stream}: {info.error}"
        if info.cluster is not None and (problem := missing_majority(stream, info.cluster)) is not None:
            return problem
    return None


async def unavailable(connection: Connection, reason: str) -> LogUnavailable:
    """Return the error of a question to the log that went unanswered: a cluster without its majority is named as the cause."""
    if connection.client.is_connected and connection.in_cluster:
        problem = await write_problem(connection, timeout_seconds=CLUSTER_SECONDS)
        if problem is not None:
            return LogNotWritable(connection.address, problem)
    return LogUnavailable(connection.address, reason)
