"""Finds out why an append got no answer: the broker does not say, so the servers' health is asked for."""

from __future__ import annotations

from nats.aio.msg import Msg

from headwater.core.errors import LogUnavailable, RequestTimeout
from headwater.core.log import subjects
from headwater.core.log.health import UNANSWERED, LogHealth, ServerHealth, decode_health
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.majority import CLUSTER_SECONDS, write_problem

_SERVER_SECONDS = 1.7


def _read_health(message: Msg) -> ServerHealth:
    return decode_health(message.data)


async def log_health(connection: Connection, seconds: float) -> LogHealth | None:
    """Return how the log fares as a server tells it, None where none does. The server learns by it that something went unanswered.

    In a cluster it only learns: what is missing there is a leader most often, and waiting for a word on it would be waiting too long.
    """
    if not connection.client.is_connected:
        return None
    try:
        if connection.in_cluster:
            await connection.publish(subjects.SERVER_HEALTH, UNANSWERED)
            return None
        health = await connection.ask(subjects.SERVER_HEALTH, UNANSWERED, _read_health, timeout=min(seconds, _SERVER_SECONDS))
    except (RequestTimeout, LogUnavailable):
        return None
    return health.log


async def why_not_writable(connection: Connection) -> str | None:
    """Return why the log takes no writes, by what a server and the log's own cluster tell; None where neither knows of anything."""
    if not connection.client.is_connected:
        return None
    if connection.in_cluster:
        return await write_problem(connection, timeout_seconds=CLUSTER_SECONDS)
    health = await log_health(connection, _SERVER_SECONDS)
    return None if health is None else health.problem
