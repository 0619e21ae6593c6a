"""What a filled-in form would do: checked against the flow, with the next times that it would give, before anything is set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from headwater.core.errors import HeadwaterError, InvalidArgument
from headwater.core.events import FlowRegistered
from headwater.core.operations.schedules import check_parameters, spec_of
from headwater.core.schedules.due import upcoming
from headwater.core.values.identifiers import digest
from headwater.core.values.json_bytes import json_bytes
from headwater.web.schedules.form import ScheduleForm
from headwater.web.schedules.next_times import calendar_of

TIMES_SHOWN = 5


def preview(form: ScheduleForm, flow: FlowRegistered, defaults: Mapping[str, Any], now: datetime) -> None:
    """Note the next times of what the form says, and its seal; or what keeps the flow from having such runs."""
    if form.data is None:
        return
    try:
        spec = spec_of(form.data)
    except HeadwaterError as error:
        form.errors[""] = str(error)
        return
    try:
        check_parameters(flow, spec, defaults)
        _refuse_unknown(flow, spec.timetable)
    except InvalidArgument as error:
        form.errors["parameters"] = str(error)
        return
    calendar = calendar_of(spec)
    form.next = [] if calendar is None else [each.nominal for each in upcoming(calendar, spec.policies, decided=now, number=TIMES_SHOWN)]
    form.seal = digest("schedule form", form.fields["slug"], json_bytes(form.data).decode())


def _refuse_unknown(flow: FlowRegistered, timetable: Mapping[str, Any]) -> None:
    known = {parameter.name for parameter in flow.parameters}
    for clock in timetable.get("clocks", ()):
        for name in clock.get("parameter_defaults") or {}:
            if name not in known:
                raise InvalidArgument(f"Flow {flow.name!r} has no parameter {name!r}.")
