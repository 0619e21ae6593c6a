"""Asking an agent whether it holds a run, and how it is."""

from __future__ import annotations

import msgspec

from headwater.core.errors import CommitUnreadable, RequestTimeout
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.heartbeats import HolderProbe, HolderReply
from headwater.core.log.protocol import Log

NO_RUN = HolderProbe("", 0)
"""Asks an agent only whether it is there, and how it is."""

_encode = msgspec.json.Encoder().encode
_decode = message_decoder(HolderReply)


async def probe_agent(log: Log, agent_id: str, probe: HolderProbe = NO_RUN, *, timeout_seconds: float) -> HolderReply | None:
    """Return what the agent answers; None where no answer comes in time, or none that this version can read.

    Raises:
        LogUnavailable: there is no connection, and none came in time.

    """
    try:
        return _decode(await log.request(subjects.ask_agent(agent_id), _encode(probe), timeout=timeout_seconds))
    except (RequestTimeout, CommitUnreadable):
        return None
