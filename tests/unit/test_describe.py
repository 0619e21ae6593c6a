"""Every event can be said in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from harness.golden_events import GOLDEN_EVENTS

from headwater.core.describe import describe_event
from headwater.core.events import AnyEvent, Failure, RunFailed, UnknownEvent, event_type


@pytest.mark.parametrize("event", GOLDEN_EVENTS, ids=event_type)
def test_every_event_reads_as_a_sentence_of_its_own(event: AnyEvent) -> None:
    words = describe_event(event)

    assert "newer version" not in words
    assert event_type(event) not in words
    assert not re.search(r"[\n\r]|  ", words)


def test_a_failure_names_its_error() -> None:
    event = RunFailed(at=datetime(2026, 1, 1, tzinfo=UTC), failure=Failure("ValueError", "no rows"))

    assert describe_event(event) == "failed: Some reference tasks failed. (ValueError: no rows)"


def test_an_event_of_a_newer_version_is_named() -> None:
    assert describe_event(UnknownEvent("run.teleported", {})) == "run.teleported (of a newer version)"
