"""Running a flow on its schedule, in this process, until the schedule ends or a user stops it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from headwater.core.calendar.schedules import NothingPasses
from headwater.sdk.context.logging import get_logger
from headwater.sdk.engine.clock import Clock
from headwater.sdk.engine.parameters import run_parameters
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.states.state import Cancelled, State

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow

Run = Callable[[dict[str, Any], dict[str, Any]], State]
"""Runs the flow once, given values of its parameters and for its context."""


def run_on_schedule(flow: Flow, run: Run, parameters: Mapping[str, Any], clock: Clock) -> State:
    """Run the flow at each moment of its schedule, and return the state of its last run.

    Parameters that are given win over those of the schedule's clocks. Moments that pass while a run goes on are left out.
    Ctrl-C ends it: during a run as always, and while it waits.

    Raises:
        WrongParameters: a parameter is unknown, or is not given.
        InvalidFlow: the schedule is over.
        NothingPasses: its filters let no moment pass.

    """
    schedule = flow.schedule
    if schedule is None:
        raise InvalidFlow(f"Flow {flow.name!r} has no schedule.", hint="Run it once: flow.run().")
    logger = get_logger("Flow")
    last: State | None = None
    after = clock.now()
    while True:
        try:
            events = schedule.next(1, after=after, return_events=True)
        except NothingPasses as error:
            if last is None:
                raise
            logger.warning("%s", error)
            return last
        if not events:
            if last is None:
                raise InvalidFlow(
                    f"The schedule of flow {flow.name!r} is over: it has no moment after {after.isoformat(timespec='seconds')}.",
                    hint="Extend it, or run once: flow.run(run_on_schedule=False).",
                )
            return last
        (event,) = events
        values = run_parameters(flow, {**event.parameter_defaults, **parameters})
        logger.info("Waiting for next scheduled run at %s", event.start_time.isoformat())
        try:
            wait_until(event.start_time, clock)
        except KeyboardInterrupt:
            logger.warning("Interrupted: the schedule is left.")
            if last is None:
                raise
            return last
        last = run(values, {"scheduled_start_time": event.start_time})
        after = max(event.start_time, clock.now())
        if isinstance(last, Cancelled):
            return last


def wait_until(moment: datetime, clock: Clock) -> None:
    """Return at this moment."""
    while (seconds := (moment - clock.now()).total_seconds()) > 0:
        clock.wait(seconds)
