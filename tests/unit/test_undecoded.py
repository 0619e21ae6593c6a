"""Passing over commits undecoded: no event that is looked for is ever missed, however it was written."""

from __future__ import annotations

import pytest
from harness.golden_events import GOLDEN_EVENTS, golden_commit

from headwater.core.events import Event, RunAttemptLost, RunCancelRequested, RunStarted, TaskRunStarted, event_type
from headwater.core.log.codec import encode
from headwater.core.log.undecoded import may_hold


@pytest.mark.parametrize("event", GOLDEN_EVENTS, ids=event_type)
def test_an_event_is_found_alone_and_among_others_and_where_its_name_is_escaped(event: Event) -> None:
    data = encode(golden_commit(event))
    name = event_type(event).encode()
    escaped = data.replace(name, b"\\u%04x" % name[0] + name[1:])

    assert escaped != data
    for looked_for in ([type(event)], [RunStarted, type(event)], [type(event), TaskRunStarted, RunAttemptLost]):
        assert may_hold(*looked_for)(data)
        assert may_hold(*looked_for)(escaped)


def test_what_holds_others_is_passed_over() -> None:
    data = encode(golden_commit(next(event for event in GOLDEN_EVENTS if isinstance(event, TaskRunStarted))))

    assert not may_hold(RunStarted)(data)
    assert not may_hold(RunStarted, RunCancelRequested)(data)
