"""A flow that runs every minute once it is registered, on working days in Berlin; here it runs once, now, and says when it would."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import headwater
from headwater import Flow, task
from headwater.schedules import Schedule, filters
from headwater.schedules.clocks import IntervalClock

every_minute = Schedule(
    [IntervalClock(timedelta(minutes=1), start_date=datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")))],
    filters=[filters.is_weekday],
)


@task
def say_when() -> None:
    headwater.context.logger.info("It is %s.", headwater.context.scheduled_start_time)


with Flow("scheduled-flow", schedule=every_minute) as flow:
    say_when()

if __name__ == "__main__":
    flow.run(run_on_schedule=False)
    first, second = every_minute.next(2)
    print(f"registered, it would run every {(second - first).seconds} seconds")
