"""A number that a document states is the one in the code, or belongs to an example."""

from __future__ import annotations

import re

import pytest
from harness.documents import ROOT

from headwater.agents.agent import shutdown_deadline
from headwater.agents.agent.agent_settings import AgentSettings
from headwater.audit import schedule_walk
from headwater.cli import watch
from headwater.core.key_values import validation
from headwater.core.log import health as log_health
from headwater.core.log.jetstream import connection, streams
from headwater.core.program import settings
from headwater.core.runs import artifact, run_head
from headwater.core.schedules import due
from headwater.core.values import bounds, names
from headwater.projections.queries import find
from headwater.sdk.executors import base, dask_calls, timeouts
from headwater.server.monitor import known_runs
from headwater.server.supervision import log_files
from headwater.web import auth, log_lines, schematic
from headwater.web.graphql import context, endpoint, limits, queries, schedule_mutations
from headwater.web.pages import dashboard, listings, schedules, server
from headwater.web.schedules import month

DAY = 24 * 3600
KB, MB = 1024, 1024 * 1024
AGENT = AgentSettings(name="laptop", kind="local")

STATED: dict[str, dict[str, float]] = {
    "docs/concepts.md": {
        "printable name of up to {} characters": names.NAME_LENGTH_MAX,
        "count as lost; {} seconds by default": AGENT.lease_seconds,
    },
    "docs/operations.md": {
        "of a long log (over {} commits)": known_runs.READ_WHOLE_MAX,
        "do not answer within {} seconds, it reads the whole log": known_runs.PATIENCE_SECONDS,
        "the older half beyond {} MB": log_files.SIZE_MAX_BYTES / MB,
        "remembers the browser for {} days": auth.REMEMBERED_SECONDS / DAY,
        "Log lines are kept for {} days": streams.LOG_RETENTION_DAYS,
        "home for {} days after their runs": settings.KEPT_VALUES_DAYS.default(),
        "answers within {} seconds whatever hangs": log_health.ANSWER_SECONDS,
        "after {} seconds of lease": AGENT.lease_seconds,
        "a time that is {} seconds over": due.ON_TIME_SECONDS,
    },
    "docs/guides/agents.md": {
        "says the same after {} seconds without an agent": watch.UNCLAIMED_SECONDS,
        "its lease ({} seconds by default)": AGENT.lease_seconds,
        "a clear error within {} seconds": connection.CONNECT_SECONDS,
    },
    "docs/guides/errors-and-exit-codes.md": {"It takes {} seconds at most": connection.CONNECT_SECONDS},
    "docs/guides/schedules.md": {"times of the last {} seconds do not count yet": schedule_walk.GRACE.total_seconds()},
    "docs/guides/executors.md": {
        "up to {} MiB for each task": dask_calls.OUTCOME_BYTES_MAX / MB,
        "and {} MiB for each run": dask_calls.RUN_BYTES_MAX / MB,
        "hands over {} tasks at once": base.IN_FLIGHT_MAX,
    },
    "docs/guides/flow-runs.md": {
        "Log lines are kept for {} days": streams.LOG_RETENTION_DAYS,
        "the lease ends after {} seconds": AGENT.lease_seconds,
        "After {} lost attempts": run_head.ATTEMPTS_MAX,
        "SIGKILL after {} seconds of grace": AGENT.grace_seconds,
    },
    "docs/guides/flows-and-registration.md": {"after {} seconds at most, with the address": connection.CONNECT_SECONDS},
    "docs/guides/from-prefect-1.md": {
        "JSON of at most {} KB, refused if larger": bounds.INLINE_RESULT_BYTES_MAX / KB,
        "An artifact has at most {} KB**": artifact.DATA_BYTES_MAX / KB,
    },
    "docs/guides/graphql.md": {
        "`limit` ({} unless said otherwise": queries.ROWS,
        "otherwise, at most {})": find.ROWS_MAX,
        "more than {} MB": endpoint.BODY_BYTES_MAX / MB,
        "Intervals are in seconds, at least {};": schedule_mutations.INTERVAL_SECONDS_MIN,
        "have a depth of {},": limits.DEPTH_MAX,
        ", {} fields and": limits.FIELDS_MAX,
        "fields and {} tokens": limits.TOKENS_MAX,
        "ask the views {} times": context.QUESTIONS_MAX,
        "may take {} seconds": endpoint.OPERATION_SECONDS_MAX,
    },
    "docs/guides/key-values-and-artifacts.md": {
        "JSON of at most {} KB, each under a key": validation.VALUE_CHARACTERS_MAX / 1000,
        "more than {} characters as JSON": validation.VALUE_CHARACTERS_MAX,
        "An artifact has at most {} KB": artifact.DATA_BYTES_MAX / KB,
        "printable text of 1 to {} characters": names.NAME_LENGTH_MAX,
    },
    "docs/guides/local-agent.md": {
        "waits for it {} seconds after the first Ctrl-C": AGENT.away_seconds,
        "at most {} seconds more": shutdown_deadline.SHUTDOWN_SECONDS,
    },
    "docs/guides/parameters-and-retries.md": {
        "its process is ended {} seconds later": timeouts.END_SECONDS,
        "removes them {} days after": settings.KEPT_VALUES_DAYS.default(),
    },
    "docs/guides/pauses-and-states.md": {
        "`HEADWATER_RETRY_IN_PROCESS_SECONDS` ({} minutes)": settings.RETRY_IN_PROCESS_SECONDS.default() / 60,
        "JSON of at most {} KB": bounds.INLINE_RESULT_BYTES_MAX / KB,
    },
    "docs/guides/projects.md": {"printable text of 1 to {} characters": names.NAME_LENGTH_MAX},
    "docs/guides/results-and-caching.md": {"in the run's events, at most {} KB": bounds.INLINE_RESULT_BYTES_MAX / KB},
    "docs/guides/ui.md": {
        "remember the browser for {} days": auth.REMEMBERED_SECONDS / DAY,
        "lines of more than {} characters": log_lines.LINE_CHARACTERS_MAX,
        "at most {} commits behind": log_health.LAG_MAX,
        "listed up to {};": dashboard.LATE_COUNTED_MAX,
        "looks at the first {}.": listings.FLOWS_SEARCHED_MAX,
        "more than {} tasks draw": schematic.BOXES_MAX,
        "looks back {} commits": server.SCANNED_MAX,
        "counted up to {} of a schedule": month.COMING_COUNTED_MAX,
        "among the first {} schedules": schedules.SCHEDULES_LOOKED_AT,
    },
}
"""Document → what it states ({} is the number) → the number in the code."""

EXAMPLES = {
    ("docs/guides/agents.md", "665 MB"),
    ("docs/guides/agents.md", "700 MB"),
    ("docs/guides/flows-and-registration.md", "64 hex digits"),
    ("docs/guides/from-prefect-1.md", "not 1 MB"),
    ("docs/guides/parameters-and-retries.md", "after 30 seconds"),
    ("docs/guides/ui.md", "last 24 hours"),
    ("docs/operations.md", "take 64 MB"),
}
"""What an example says, what another program does, or what the words define."""

WITH_A_UNIT = re.compile(
    r"\b\d[\d,]*(?= (?:seconds?|minutes?|hours?|days?|[KMG]i?B|characters|fields|tokens|times|tasks|commits|lost attempts|hex digits)\b)"
)
"""Numbers that may become stale: those of so much of something."""


def prose(document: str) -> str:
    """Return the text outside of blocks, in one line: blocks are executed by other tests."""
    return " ".join(re.sub(r"^ *```.*?^ *```", "", (ROOT / document).read_text(), flags=re.MULTILINE | re.DOTALL).split())


@pytest.mark.parametrize("document", STATED)
def test_documents_state_the_numbers_of_the_code(document: str) -> None:
    text = prose(document)
    stale = [phrase.format(f"{number:,.0f}") for phrase, number in STATED[document].items() if phrase.format(f"{number:,.0f}") not in text]

    assert stale == []


def test_each_number_with_a_unit_in_a_guide_is_in_the_table_or_an_example() -> None:
    guides = [path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "guides").glob("*.md")]
    unknown = []
    for document in sorted({*guides, "docs/concepts.md", "docs/operations.md"}):
        text = prose(document)
        known = [phrase.format(f"{number:,.0f}") for phrase, number in STATED.get(document, {}).items()]
        known += [phrase for file, phrase in EXAMPLES if file == document]
        spans = [(found.start(), found.end()) for phrase in known for found in re.finditer(re.escape(phrase), text)]
        unknown += [
            f"{document}: {text[max(0, each.start() - 40) : each.end() + 20]}"
            for each in WITH_A_UNIT.finditer(text)
            if not any(start <= each.start() and each.end() <= end for start, end in spans)
        ]

    assert unknown == []
