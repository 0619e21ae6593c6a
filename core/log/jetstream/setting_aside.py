"""Takes a work item out of its queue that no agent can use: its bytes are kept as a dead letter first."""

from __future__ import annotations

from datetime import UTC, datetime

from nats.aio.msg import Msg

from headwater.core.log.dead_letters import dead_letter
from headwater.core.log.jetstream.connection import Connection
from headwater.core.log.jetstream.dead_letters import JetStreamDeadLetters


async def set_aside(connection: Connection, message: Msg, reason: str) -> None:
    """Keep the message and why, and see that it is offered never again.

    Raises:
        LogError: it could not be kept: it is offered again after half a lease.

    """
    letter = dead_letter(message.subject, message.data, reason, reported_by=connection.name, at=datetime.now(UTC))
    await JetStreamDeadLetters(connection).keep(letter)
    await connection.publish(message.reply, b"+TERM")
