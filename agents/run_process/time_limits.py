"""Time-outs of tasks in the main thread, announced to the supervisor: it has them interrupted, and ends this process where that fails."""

from __future__ import annotations

from datetime import UTC, datetime
from threading import TIMEOUT_MAX
from typing import TYPE_CHECKING, Any

from headwater.agents.attempt_protocol import TimeLimited
from headwater.agents.run_process.state_recorder import StateRecorder
from headwater.agents.run_process.supervisor_link import SupervisorLink
from headwater.sdk.engine import rules
from headwater.sdk.executors.timeouts import END_SECONDS, RING_SIGNAL
from headwater.sdk.states.state import TimedOut

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow


class AnnouncedTimeLimits:
    """Listens to the time-outs that hold in the main thread, one at a time."""

    def __init__(self, run_id: str, flow: Flow, recorder: StateRecorder, link: SupervisorLink) -> None:
        self._run_id = run_id
        self._tasks = {slug: task for task, slug in flow.slugs.items()}
        self._recorder = recorder
        self._link = link

    def began(self, context: dict[str, Any], seconds: float) -> bool:
        """Announce it, if it is a task of this run, and in its own process: what a task runs and forks has no supervisor."""
        slug, run_count = context["task_slug"], context["task_run_count"]
        task = self._tasks.get(slug)
        if self._link.is_gone or task is None or context["flow_run_id"] != self._run_id:
            return False
        message = (
            f"Task {context['task_full_name']!r} took longer than {seconds:g} s and could not be interrupted, so its process was ended."
        )
        timed_out = TimedOut(message)
        state = rules.retry(task, timed_out, run_count, datetime.now(UTC)) or timed_out
        map_index = -1 if context["map_index"] is None else context["map_index"]
        event = self._recorder.event_of_change(slug, map_index, state, run_count)
        resumed = tuple(sorted(self._recorder.known_resumed))
        limited = TimeLimited(min(seconds, TIMEOUT_MAX), END_SECONDS, RING_SIGNAL, message, event, resumed)  # type: ignore[arg-type]
        self._link.limit_time(limited)
        return True

    def ended(self) -> None:
        self._link.end_limit()
