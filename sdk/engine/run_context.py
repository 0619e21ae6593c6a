"""What `headwater.context` holds during a run of a flow, before any task adds its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from headwater.core.text import shown
from headwater.core.values.moments import parsed_moment
from headwater.sdk.context.configuration import config
from headwater.sdk.context.logging import get_logger
from headwater.sdk.results.checkpoints import CONTEXT_KEY

_OF_THE_BLOCK = frozenset({"flow", "tags", "made_tasks", CONTEXT_KEY})
_OF_A_TASK = frozenset({"resume", "task_loop_count", "task_loop_result", "task_run_name"})
"""What holds for the task that runs a flow, and not for that flow's own tasks."""


def run_context(
    flow_name: str, outer: Mapping[str, Any], given: Mapping[str, Any], parameters: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Return the context of a run that begins now.

    `outer` is the context in which the run is started; `given` is what was given for this run, and wins. `parameters` are all that
    it has. `today`, `yesterday` and `tomorrow` follow `date`, which is the moment of the start unless one of the two says otherwise,
    as a datetime or a text in ISO 8601.
    """
    left_out = _OF_THE_BLOCK | _OF_A_TASK if "task_slug" in outer else _OF_THE_BLOCK
    values = {
        **config["context"].to_dict(),
        "config": config,
        "checkpointing": bool(config["flows"]["checkpointing"]),
        **{name: value for name, value in outer.items() if name not in left_out},
        # Of each run its own.
        "flow_id": flow_name,
        "flow_run_id": str(uuid4()),
        "flow_run_name": str(uuid4()),
        "scheduled_start_time": now,
        **given,
        "flow_name": flow_name,
    }
    values["parameters"] = parameters
    return {**_days(_as_date(values, now)), **values}


def _as_date(values: dict[str, Any], now: datetime) -> datetime:
    """Return the moment from which the days are counted, and let `date` be it where it is a text."""
    date = values.get("date")
    if isinstance(date, str):
        try:
            date = parsed_moment(date)
        except ValueError:
            get_logger("FlowRunner").warning(
                "context.date is %s, which is not a date in ISO 8601: today, yesterday and tomorrow are those of the start of the run.",
                shown(date),
            )
            return now
        values["date"] = date
    if isinstance(date, datetime):
        return date
    if date is not None:
        get_logger("FlowRunner").warning(
            "context.date is a %s, not a datetime: today, yesterday and tomorrow are those of the start of the run.", type(date).__name__
        )
    return now


def _days(date: datetime) -> dict[str, Any]:
    values: dict[str, Any] = {"date": date}
    for name, days in (("today", 0), ("yesterday", -1), ("tomorrow", 1)):
        try:
            day = (date.date() + timedelta(days=days)).isoformat()
        except OverflowError:  # the first and the last day there are have no neighbour
            continue
        values[name], values[f"{name}_nodash"] = day, day.replace("-", "")
    return values
