"""Recurrence rules of RFC 5545 in words."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from headwater.core.calendar.wording import TIMES_MAX, WEEKDAYS, days_of_months, every, listed, months, time_of_day, weekdays

_DAYS = {"MO": 0, "TU": 1, "WE": 2, "TH": 3, "FR": 4, "SA": 5, "SU": 6}
_NTH = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "last but one"}
_WITHIN_A_DAY = {"HOURLY": 3600, "MINUTELY": 60, "SECONDLY": 1}
_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_TOLD = {"FREQ", "INTERVAL", "WKST", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYHOUR", "BYMINUTE"}


def rule_phrase(rule: Any, zone: str) -> str:
    """Return a rule of dateutil's in words, with the zone where it has times of day; where it is too odd for words, its text."""
    start, _, text = str(rule).rpartition("\n")
    parts = dict(part.split("=", 1) for part in text.removeprefix("RRULE:").split(";"))
    begins = datetime.strptime(start.rpartition(":")[2].zfill(15), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - rules are on clocks of no zone
    times = _times(parts, begins)
    days = _days(parts, begins)
    ends = _end(parts)
    if parts["FREQ"] in _WITHIN_A_DAY and not any(name.startswith("BY") for name in parts):
        return every(_WITHIN_A_DAY[parts["FREQ"]] * int(parts.get("INTERVAL", 1))) + ends
    if times is None or days is None or not parts.keys() <= _TOLD:
        return f'rule "{text.removeprefix("RRULE:")}", {zone}'
    return f"{days} {times}{ends}, {zone}"


def _times(parts: dict[str, str], begins: datetime) -> str | None:
    hours, minutes = (
        [int(each) for each in parts[name].split(",")] if name in parts else [of_start]
        for name, of_start in (("BYHOUR", begins.hour), ("BYMINUTE", begins.minute))
    )
    times = [time_of_day(hour, minute, begins.second) for hour in sorted(hours) for minute in sorted(minutes)]
    return f"at {listed(times)}" if len(times) <= TIMES_MAX else None


def _days(parts: dict[str, str], begins: datetime) -> str | None:
    frequency, number = parts["FREQ"], int(parts.get("INTERVAL", 1))
    if frequency not in _UNITS:
        return None
    each = f"every {_UNITS[frequency]}" if number == 1 else f"every {number} {_UNITS[frequency]}s"
    by_day, by_month_day, by_month = (parts[name].split(",") if name in parts else [] for name in ("BYDAY", "BYMONTHDAY", "BYMONTH"))
    in_months = [int(month) for month in by_month]
    if frequency == "YEARLY" and not by_day:
        days, of = [int(day) for day in by_month_day] or [begins.day], in_months or [begins.month]
        told = days_of_months(days, of) if min(days) > 0 and (in_months or not by_month_day) else None
        return told and f"{each} {told}"
    if by_month_day or (frequency == "MONTHLY" and not by_day):
        days = [int(day) for day in by_month_day] or [begins.day]
        if by_day or frequency != "MONTHLY" or min(days) < 1:
            return None
        told = days_of_months(days, in_months)
        return told if number == 1 else f"{each} {told.removesuffix(' of each month')}"
    in_those = f" in {months(in_months)}" if in_months else ""
    if not by_day:
        return each + (f" {weekdays([begins.weekday()])}" if frequency == "WEEKLY" else "") + in_those
    if frequency == "MONTHLY":
        told = _nth(by_day)
        return told and f"{told} of {'each month' if number == 1 else each}{in_those}"
    plain = frequency in {"DAILY", "WEEKLY"} and all(day in _DAYS for day in by_day)
    return f"{each} {weekdays(_DAYS[day] for day in by_day)}{in_those}" if plain else None


def _nth(by_day: list[str]) -> str | None:
    told = []
    for day in by_day:
        number = day[:-2]
        if not number or int(number) not in _NTH:
            return None
        told.append(f"the {_NTH[int(number)]} {WEEKDAYS[_DAYS[day[-2:]]]}")
    return f"on {listed(told)}"


def _end(parts: dict[str, str]) -> str:
    until = parts.get("UNTIL", "")
    times = f", {parts['COUNT']} time{'' if parts['COUNT'] == '1' else 's'}" if "COUNT" in parts else ""
    return times + (f", until {until[:4]}-{until[4:6]}-{until[6:8]}" if until else "")
