"""The public path of what is in `headwater.core.calendar.filters`."""

from __future__ import annotations

from headwater.core.calendar.filters import (
    Filter,
    at_time,
    between_dates,
    between_datetimes,
    between_times,
    expect,
    filter_as_json,
    filter_from,
    is_day_of_week,
    is_month_end,
    is_month_start,
    is_weekday,
    is_weekend,
    on_date,
    on_datetime,
)

__all__ = [
    "Filter",
    "at_time",
    "between_dates",
    "between_datetimes",
    "between_times",
    "expect",
    "filter_as_json",
    "filter_from",
    "is_day_of_week",
    "is_month_end",
    "is_month_start",
    "is_weekday",
    "is_weekend",
    "on_date",
    "on_datetime",
]
