"""Why a run waits, in words: the one reason that `headwater explain` gives."""

from __future__ import annotations

from datetime import datetime

import msgspec

from headwater.audit.explanation import Explanation, Reason
from headwater.audit.run_context import explain_run
from headwater.core.hint_codec import decode_hint
from headwater.core.queries import RunRow
from headwater.core.states import StateName
from headwater.web.action_names import worded
from headwater.web.pages.page import Sources

WAITS = frozenset({StateName.SCHEDULED, StateName.PAUSED})
"""In these states a run's page says why it is not being executed."""


async def explanation_of(sources: Sources, run: RunRow) -> Explanation | None:
    """Return why the run is not being executed; None where it does not wait, and where the views have not seen that it does not any more.

    Raises:
        LogError: the log could not be read.

    """
    if run.state not in WAITS:
        return None

    def is_heard(agent_id: str) -> bool:
        return sources.heartbeats.lively([agent_id])[agent_id] is not None

    found = await explain_run(sources.log, run.id, now=sources.now, format_time=_in_utc, is_heard=is_heard, views=sources.views)
    if found.state != run.state:
        return None
    if found.reason == Reason.EARLIER_RUN:
        return msgspec.structs.replace(found, hint="")  # to look at that run, to which the page leads
    advice = None if found.advice is None else decode_hint(found.advice)
    return found if advice is None else msgspec.structs.replace(found, hint=worded(advice) or "")


def _in_utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
