"""The subjects of the log, one function each: the only place where they are spelled, and taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import digest

EVENTS_ALL = "hw.evt.>"
PROJECTS_ALL = "hw.evt.project.*"
KEY_VALUES_ALL = "hw.evt.kv.*"
FLOWS_ALL = "hw.evt.flow.*"
RUNS_ALL = "hw.evt.run.*"
QUEUES_ALL = "hw.evt.queue.*"
AGENTS_ALL = "hw.evt.agent.*"
SLOTS_ALL = "hw.evt.slots.*"
SCHEDULES_ALL = "hw.evt.schedule.*"
BACKFILLS_ALL = "hw.evt.backfill.*"
SCHEDULED_ALL = "hw.scheduled.>"
TIMERS_ALL = "hw.timer.>"
RUN_LOGS_ALL = "hw.log.>"
DEAD_ALL = "hw.dead.>"
DEAD_WORK = "hw.dead.work"
SCHEDULES_QUEUE = "schedules"
"""The queue whose items wake the scheduler for a schedule; no label set has it."""


_TOKEN = r"[A-Za-z0-9_-]{1,128}"  # noqa: S105 - of a subject, and no secret
_is_token = re.compile(_TOKEN).fullmatch


def token(identifier: str) -> str:
    """Return the id, which may stand in a subject.

    Raises:
        InvalidArgument: it holds a space, a dot, a wildcard or what else would make another subject of it.

    """
    if _is_token(identifier) is None:
        raise InvalidArgument(f"{identifier[:100]!r} is not an id.")
    return identifier


def project(project_id: str) -> str:
    return f"hw.evt.project.{token(project_id)}"


def name(kind: str, text: str) -> str:
    """Return the subject that decides who owns a name. The text is hashed: subjects hold no spaces, dots or wildcards."""
    return f"hw.evt.name.{digest('name', kind, text, length=40)}"


def key_value(pair_id: str) -> str:
    """Return the subject of one key of one project; its id is derived from both."""
    return f"hw.evt.kv.{token(pair_id)}"


def flow_group(group_id: str) -> str:
    return f"hw.evt.flow.{token(group_id)}"


def registration_part(registration_id: str, number: int) -> str:
    return f"hw.evt.part.{token(registration_id)}.{number}"


def queue(queue_id: str) -> str:
    return f"hw.evt.queue.{token(queue_id)}"


def run(run_id: str) -> str:
    return f"hw.evt.run.{token(run_id)}"


def slots(group_id: str) -> str:
    """Return the subject of the slots of a flow group whose runs are limited."""
    return f"hw.evt.slots.{token(group_id)}"


def agent(agent_id: str) -> str:
    return f"hw.evt.agent.{token(agent_id)}"


def schedule(schedule_id: str) -> str:
    return f"hw.evt.schedule.{token(schedule_id)}"


def backfill(backfill_id: str) -> str:
    return f"hw.evt.backfill.{token(backfill_id)}"


def scheduled(queue_id: str, run_id: str) -> str:
    """Return the subject of the work item that wakes an agent of this queue for this run."""
    return f"hw.scheduled.{token(queue_id)}.{token(run_id)}"


def scheduled_of_run(run_id: str) -> str:
    """Return the subjects of the run's work items, whichever queue they are in."""
    return f"hw.scheduled.*.{token(run_id)}"


def scheduled_in_queue(queue_id: str) -> str:
    return f"hw.scheduled.{token(queue_id)}.*"


def timer(run_id: str) -> str:
    return f"hw.timer.run.{token(run_id)}"


def schedule_timer(schedule_id: str) -> str:
    return f"hw.timer.schedule.{token(schedule_id)}"


def timers_of(identifier: str) -> str:
    """Return the subjects on which this run's or this schedule's timer may be."""
    return f"hw.timer.*.{token(identifier)}"


def run_log(run_id: str, attempt: int) -> str:
    return f"hw.log.{token(run_id)}.{attempt}"


def run_log_all(run_id: str) -> str:
    return f"hw.log.{token(run_id)}.*"


def live(subject: str) -> str:
    """Return the subject on which the live feed repeats what was stored on `subject`."""
    return f"hw.live.{subject.removeprefix('hw.')}"


# Live subjects that carry no facts: nothing on them is stored.
AGENT_HEARTBEATS = "hw.beat.agent.*"
VIEWS_POSITION = "hw.beat.views"
LOG_LINES_POSITION = "hw.beat.lines"
REBUILD_PROGRESS = "hw.beat.rebuild"
QUERIES = "hw.ask.views"
QUERIES_OF_EVERY_SERVER = "hw.ask.views.all"
"""Every server hears these, not one of them: for a question that the first one asked did not answer in time."""
SERVER_HEALTH = "hw.ask.health"
"""Every server answers; the first answer counts."""


def agent_heartbeat(agent_id: str) -> str:
    return f"hw.beat.agent.{token(agent_id)}"


def ask_agent(agent_id: str) -> str:
    """Return the subject on which an agent answers whether it holds a run."""
    return f"hw.ask.agent.{token(agent_id)}"


def tell_agent(agent_id: str) -> str:
    """Return the subject on which an agent hears that it must look at a run which it holds."""
    return f"hw.tell.agent.{token(agent_id)}"


class Address(NamedTuple):
    """What a subject of facts names: an aggregate's kind ("run", "project", ...) and its id. Of a part of a registration: `id.number`."""

    kind: str
    id: str


_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_IDS: Mapping[str, str] = {
    "project": _UUID,
    "name": r"[0-9a-f]{40}",
    "kv": _UUID,
    "flow": _UUID,
    "part": rf"{_TOKEN}\.[0-9]{{1,9}}",
    "queue": _TOKEN,
    "run": _UUID,
    "slots": _UUID,
    "agent": _TOKEN,
    "schedule": _UUID,
    "backfill": _UUID,
}
"""Kind of aggregate → what its ids look like. Kinds of a newer version have tokens."""
KINDS = frozenset(_IDS)


@lru_cache(maxsize=4096)
def parse(subject: str) -> Address | None:
    """Return what the subject of facts names; None where it is of no kind that we know, or its id cannot be one of its kind."""
    prefix, _, rest = subject.partition("hw.evt.")
    kind, _, identifier = rest.partition(".")
    if prefix or not re.fullmatch(_TOKEN, kind) or not re.fullmatch(_IDS.get(kind, _TOKEN), identifier):
        return None
    return Address(kind, identifier)


def address(subject: str) -> Address:
    """Return what the subject of a commit names that can be read: those of others may name nothing.

    Raises:
        InvalidArgument: it names no aggregate.

    """
    found = parse(subject)
    if found is None:
        raise InvalidArgument(f"No aggregate has the subject {subject[:100]!r}.")
    return found


def kind_of(subject: str) -> str:
    """Return the kind that stands in a subject of facts, also where what follows can be no id; an empty text of any other subject."""
    prefix, found, rest = subject.partition("hw.evt.")
    return rest.partition(".")[0] if found and not prefix else ""


_is_wake_up = re.compile(rf"hw\.(?:scheduled\.{_TOKEN}|timer\.(?:run|schedule))\.({_TOKEN})").fullmatch
_is_heartbeat = re.compile(rf"hw\.beat\.agent\.({_TOKEN})").fullmatch
_is_run_log = re.compile(rf"hw\.log\.({_UUID})\.([0-9]{{1,9}})").fullmatch


def run_of_wake_up(subject: str) -> str | None:
    """Return the id of the run, or of the schedule, that a work item or a timer on this subject is for; None where it is for none."""
    found = _is_wake_up(subject)
    return None if found is None else found[1]


def agent_of_heartbeat(subject: str) -> str | None:
    """Return the id of the agent whose heartbeats come on this subject; None where it is not an agent's."""
    found = _is_heartbeat(subject)
    return None if found is None else found[1]


def attempt_of_log(subject: str) -> tuple[str, int] | None:
    """Return the run, and the number of its attempt, whose log lines lie on this subject; None where they are not a run's."""
    found = _is_run_log(subject)
    return None if found is None else (found[1], int(found[2]))


BYTES_MAX = 2_000
"""A broker ends the connection of one who names a subject that does not fit into a line of 4 KiB, with all else that the line has."""
_is_sendable = re.compile(r"[^\s\x00-\x1f\x7f.]+(?:\.[^\s\x00-\x1f\x7f.]+)*").fullmatch


def require_sendable(subject: str) -> None:
    """Check that a message, or a question for messages, can have this subject at all.

    Raises:
        InvalidArgument: it is too long, or no subject as NATS defines it.

    """
    if len(subject.encode(errors="surrogatepass")) > BYTES_MAX or _is_sendable(subject) is None:
        raise InvalidArgument(f"{subject[:100]!r} is not a subject.")


def is_literal(subject: str) -> bool:
    """Tell whether this names one subject, with no wildcard in it."""
    return not any(token in {"*", ">"} for token in subject.split("."))


def matches(pattern: str, subject: str) -> bool:
    """Tell whether the pattern covers the subject, as NATS defines it: `*` is one token, `>` at the end is one or more."""
    if pattern.endswith(".>") and "*" not in pattern:
        return subject.startswith(pattern[:-1]) and len(subject) >= len(pattern)
    wanted, given = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        return len(given) >= len(wanted) and all(w in {"*", g} for w, g in zip(wanted[:-1], given, strict=False))
    return len(given) == len(wanted) and all(w in {"*", g} for w, g in zip(wanted, given, strict=True))
