"""Telling the agent that holds a run to look at it: its attempt must end. A hint; the log says why, and the agent looks by itself too."""

from __future__ import annotations

import logging

import msgspec

from headwater.core.errors import LogError
from headwater.core.log import subjects
from headwater.core.log.heartbeats import HolderNotice
from headwater.core.log.protocol import Log
from headwater.core.runs.state import Run

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


async def notify_holder(log: Log, run: Run) -> None:
    """Tell the agent that holds the run in this state, or held it. Where that is not possible now, it finds out by itself."""
    if not run.agent_id:
        return
    try:
        await log.publish(subjects.tell_agent(run.agent_id), _encode(HolderNotice(run.created.run_id, run.attempt)))
    except LogError as error:
        _log.debug("The holder of run %s was not told that it must end: %s", run.created.run_id, error)
