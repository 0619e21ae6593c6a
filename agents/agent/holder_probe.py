"""Agents asking each other whether a run is still held: a redelivered item says only that its holder may be gone."""

from __future__ import annotations

import anyio
import msgspec

from headwater.core.errors import CommitUnreadable, LogUnavailable
from headwater.core.log.codec import message_decoder
from headwater.core.log.heartbeats import HolderNotice, HolderProbe, HolderReply
from headwater.core.log.protocol import LiveMessage, Log
from headwater.core.operations.holder_probes import probe_agent

_ANSWER_SECONDS = 1.0
_PAUSE_SECONDS = 0.2

_encode = msgspec.json.Encoder().encode
_decode_probe = message_decoder(HolderProbe)
_decode_notice = message_decoder(HolderNotice)


async def probe_holder(log: Log, agent_id: str, run_id: str, attempt: int, *, patience_seconds: float) -> bool | None:
    """Return whether the agent says that it holds the attempt; None where it answers nothing for `patience_seconds`.

    Silence counts only while we ourselves are connected: after the log was away, the holder gets its whole time again.
    """
    probe = HolderProbe(run_id, attempt)
    while True:
        with anyio.move_on_after(patience_seconds):
            while True:
                try:
                    reply = await probe_agent(log, agent_id, probe, timeout_seconds=_ANSWER_SECONDS)
                except LogUnavailable:
                    break
                if reply is not None:
                    return reply.holds
                await anyio.sleep(_PAUSE_SECONDS)
            await anyio.sleep(_PAUSE_SECONDS)
            continue
        return None


def notice_in(message: LiveMessage) -> HolderNotice | None:
    """Return the notice in the message; None where it is none that this version understands."""
    try:
        return _decode_notice(message.data)
    except CommitUnreadable:
        return None


async def answer(message: LiveMessage, reply: HolderReply) -> None:
    """Answer the question that the message is."""
    await message.respond(_encode(reply))


def probe_in(message: LiveMessage) -> HolderProbe | None:
    """Return the question in the message; None where it is none that this version understands."""
    try:
        return _decode_probe(message.data)
    except CommitUnreadable:
        return None
