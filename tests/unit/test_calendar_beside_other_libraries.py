"""Cron expressions in all time zones of tzdata, over five years, beside two other libraries: each difference has a rule that explains it.

croniter and cron-converter were made by others, and do not use cronsim, which Headwater does. Zones whose clocks were changed at the same
instants by the same are walked through once. Between two changes clocks are UTC and a constant, so that days without a change are
compared in a few zones only, and where the expression has few moments.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from cron_converter import Cron
from croniter import croniter
from harness.time_zones import DAY, FIRST, LAST, Transition, names_by_history

from headwater.core.calendar.clocks import CronClock

SPARSE = ("0 12 31 * *", "30 2 29 2 *", "0 0 31 * *")
DAILY = ("0 0 * * *", "59 23 * * *", "30 2 * * MON-FRI")
DENSE = ("0 * * * *", "*/15 * * * *", "30 */2 * * *")
WALKED_DAILY = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe"}
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Walk:
    """An expression in a zone from one moment to another, with the change of the clocks in between where there is one."""

    expression: str
    zone: ZoneInfo
    first: datetime
    last: datetime
    changes: tuple[Transition, ...]

    @property
    def in_steps(self) -> bool:
        return any("*" in field for field in self.expression.split()[:2])

    def until_last(self, moments: Iterable[datetime]) -> list[datetime]:
        return list(itertools.takewhile(lambda moment: moment <= self.last, (each.astimezone(UTC) for each in moments)))


def by_headwater(walk: Walk) -> list[datetime]:
    clock = CronClock(walk.expression, walk.first.astimezone(walk.zone))
    return walk.until_last(event.start_time for event in clock.events(walk.first))


def by_croniter(walk: Walk) -> list[datetime]:
    return walk.until_last(croniter(walk.expression, walk.first.astimezone(walk.zone)).all_next(datetime))


def by_cron_converter(walk: Walk) -> list[datetime]:
    # It begins with the moment it is given.
    schedule = Cron(walk.expression).schedule(walk.first.astimezone(walk.zone) + timedelta(minutes=1))
    return walk.until_last(schedule.next() for _ in itertools.count())


@dataclass(frozen=True)
class Difference:
    """A moment that one of the two has more often, by a change of the clocks."""

    walk: Walk
    moment: datetime
    ours: int
    theirs: int

    def is_end_of_gap(self) -> bool:
        return any(change.is_gap and self.moment == change.at for change in self.walk.changes)

    def is_just_behind_gap(self) -> bool:
        return any(change.is_gap and change.at <= self.moment < change.at + change.length for change in self.walk.changes)

    def is_second_time(self) -> bool:
        return any(not change.is_gap and change.at <= self.moment < change.at + change.length for change in self.walk.changes)


Rule = Callable[[Difference], bool]

CRONITER: dict[str, Rule] = {
    "croniter repeats a certain time of day that is repeated": lambda found: (
        not found.walk.in_steps and found.is_second_time() and (found.ours, found.theirs) == (0, 1)
    ),
    "croniter takes what is skipped to the end of the gap in expressions in steps, too": lambda found: (
        found.walk.in_steps and found.is_end_of_gap() and (found.ours, found.theirs) == (0, 1)
    ),
}
CRON_CONVERTER: dict[str, Rule] = {
    "cron-converter moves what is skipped by the length of the gap, so that the end of the gap lacks it": lambda found: (
        not found.walk.in_steps and found.is_end_of_gap() and (found.ours, found.theirs) == (1, 0)
    ),
    "cron-converter moves what is skipped by the length of the gap, in steps too, to where it comes once more": lambda found: (
        found.is_just_behind_gap() and found.theirs == found.ours + 1
    ),
    "cron-converter gives what is repeated once in expressions in steps, too": lambda found: (
        found.walk.in_steps and found.is_second_time() and (found.ours, found.theirs) == (1, 0)
    ),
}


def walks() -> Iterator[Walk]:
    for (_, changes), names in names_by_history().items():
        zone = ZoneInfo(names[0])
        yield from (Walk(expression, zone, FIRST, LAST, changes) for expression in SPARSE)
        if WALKED_DAILY.intersection(names):
            yield from (Walk(expression, zone, FIRST, LAST, changes) for expression in DAILY)
        for change in changes:
            at = change.middle
            of_change = (f"{at.minute} {at.hour} * * *", f"*/15 {at.hour} * * *", f"0,30 {at.hour},{(at.hour + 1) % 24} * * *")
            near = changes_near(change, changes)
            yield from (Walk(each, zone, change.at - 2 * DAY, change.at + 2 * DAY, near) for each in (*DAILY, *of_change))
            yield from (Walk(each, zone, change.at - 6 * HOUR, change.at + 6 * HOUR, near) for each in DENSE)


def changes_near(change: Transition, changes: tuple[Transition, ...]) -> tuple[Transition, ...]:
    return tuple(each for each in changes if abs(each.at - change.at) < 3 * DAY)


def explained(others: Callable[[Walk], list[datetime]], rules: dict[str, Rule]) -> tuple[Counter[str], list[Difference]]:
    """Return how many differences each rule explains, and those that none does."""
    by_rule: Counter[str] = Counter()
    unexplained = []
    for walk in walks():
        ours, theirs = Counter(by_headwater(walk)), Counter(others(walk))
        for moment in (ours | theirs).keys() if ours != theirs else ():
            found = Difference(walk, moment, ours[moment], theirs[moment])
            if found.ours == found.theirs:
                continue
            name = next((name for name, explains in rules.items() if explains(found)), None)
            if name is None:
                unexplained.append(found)
            else:
                by_rule[name] += 1
    return by_rule, unexplained


def test_each_name_of_a_time_zone_is_walked_through_with_those_that_agree_with_it() -> None:
    histories = names_by_history()

    assert {name for names in histories.values() for name in names} == available_timezones()
    assert {name for names in histories.values() for name in names[:1]} == {walk.zone.key for walk in walks()}


def test_differences_from_croniter_are_those_that_are_known() -> None:
    by_rule, unexplained = explained(by_croniter, CRONITER)

    assert unexplained == []
    assert by_rule.total() > 100
    assert set(by_rule) == set(CRONITER), "a rule that explains nothing is not one"


def test_differences_from_cron_converter_are_those_that_are_known() -> None:
    by_rule, unexplained = explained(by_cron_converter, CRON_CONVERTER)

    assert unexplained == []
    assert by_rule.total() > 100
    assert set(by_rule) == set(CRON_CONVERTER), "a rule that explains nothing is not one"
