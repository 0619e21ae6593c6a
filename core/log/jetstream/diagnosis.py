"""Why an append went without an answer: the broker says nothing, so those are asked who know."""

from __future__ import annotations

import msgspec

from headwater.core import subjects
from headwater.core.errors import LogUnavailable, NoAnswer
from headwater.core.health import UNANSWERED, LogHealth, ServerHealth
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.majority import CLUSTER_SECONDS, write_problem

_SERVER_SECONDS = 1.7
_decode = msgspec.json.Decoder(ServerHealth).decode


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
        answer = await connection.request(subjects.SERVER_HEALTH, UNANSWERED, timeout=min(seconds, _SERVER_SECONDS))
        return _decode(answer.data).log
    except (NoAnswer, LogUnavailable, msgspec.MsgspecError, RecursionError):
        return None


def in_words(health: LogHealth | None) -> str | None:
    """Return what keeps the log from taking writes, as the end of a sentence; None where nothing is known to."""
    if health is None or health.problem is None:
        return None
    return f"the log is full: {health.problem}" if health.full else f"the log takes no writes: {health.problem}"


async def why_not_writable(connection: Connection) -> str | None:
    """Return why the log takes no writes, by what a server and the log's own cluster tell; None where neither knows of anything."""
    if not connection.client.is_connected:
        return None
    if connection.in_cluster:
        return await write_problem(connection, timeout_seconds=CLUSTER_SECONDS)
    health = await log_health(connection, _SERVER_SECONDS)
    return None if health is None else health.problem
