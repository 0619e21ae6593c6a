"""The table of states: predicates, colours, serialised forms; and the signals that lead to them."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime

import pytest

from headwater.core.errors import InvalidArgument
from headwater.core.states import FINAL, SUCCESSFUL, StateName
from headwater.sdk.results import InlineResult, LocalResult, Result
from headwater.sdk.states import signals
from headwater.sdk.states import state as states
from headwater.sdk.states.state import State, Success

WHEN = datetime(2026, 11, 21, 12, tzinfo=UTC)

# class: (pending, scheduled, running, finished, successful, failed, colour)
TABLE: dict[type[State], tuple[str, str]] = {
    states.Pending: ("p", "#7ebdff"),
    states.Scheduled: ("ps", "#ffab00"),
    states.Paused: ("ps", "#99a8e8"),
    states.Resume: ("ps", "#f58c0c"),
    states.Retrying: ("ps", "#f66a0a"),
    states.Submitted: ("", "#ffdf5d"),
    states.Queued: ("s", "#ffea7f"),
    states.ClientFailed: ("", "#eb0000"),
    states.Running: ("r", "#3d67ff"),
    states.Cancelling: ("r", "#E8E8E8"),
    states.Finished: ("f", "#003ccb"),
    states.Success: ("f+", "#28a745"),
    states.Cached: ("f+", "#34d058"),
    states.Mapped: ("f+", "#003ccb"),
    states.Skipped: ("f+", "#62757f"),
    states.Failed: ("f-", "#eb0000"),
    states.TimedOut: ("f-", "#ff4e33"),
    states.TriggerFailed: ("f-", "#ff5131"),
    states.ValidationFailed: ("f-", "#ff5131"),
    states.Cancelled: ("f", "#bdbdbd"),
    states.Looped: ("f", "#003ccb"),
}


@pytest.mark.parametrize("kind", TABLE)
def test_each_state_answers_as_the_table_says(kind: type[State]) -> None:
    holds, colour = TABLE[kind]
    state = kind("words")

    asked = {
        "p": state.is_pending(),
        "s": state.is_scheduled(),
        "r": state.is_running(),
        "f": state.is_finished(),
        "+": state.is_successful(),
        "-": state.is_failed(),
    }
    assert {mark for mark, answer in asked.items() if answer} == set(holds)
    assert state.color == colour


def test_the_table_is_complete() -> None:
    ours = {kind for kind in State.children() if kind.__module__ == State.__module__}  # other tests make kinds of their own
    assert ours == set(TABLE)
    assert {kind.__name__ for kind in TABLE} >= {name.value for name in StateName}


def test_states_of_the_log_mean_the_same_here() -> None:
    for name in StateName:
        state = getattr(states, name.value)()
        assert state.is_successful() == (name in SUCCESSFUL)
        assert name not in FINAL or state.is_finished()


@pytest.mark.parametrize("kind", TABLE)
def test_each_state_survives_serialisation_and_pickling(kind: type[State]) -> None:
    state = kind("words", context={"tags": ["a"]})

    for copy in (State.deserialize(state.serialize()), pickle.loads(pickle.dumps(state))):
        assert type(copy) is kind
        assert (copy.message, copy.context) == ("words", {"tags": ["a"]})
        assert copy == state


def test_extra_fields_are_serialised() -> None:
    submitted = states.Submitted(state=states.Retrying(start_time=WHEN, run_count=3))

    copy = State.deserialize(submitted.serialize())

    assert copy == submitted
    assert copy.unwrapped() == states.Retrying(start_time=WHEN, run_count=3)


def test_serialised_states_tell_where_a_result_is_and_never_what_it_is() -> None:
    state = Success("done", result=LocalResult("/data", location="a/b").at("a/b", "SECRET"))

    data = state.serialize()

    assert data["_result"] == {"type": "LocalResult", "location": "a/b"}
    assert "SECRET" not in str(data)
    assert Success(result="SECRET").serialize()["_result"] == {"type": "Result", "location": None}


def test_an_inline_result_is_part_of_the_state() -> None:
    state = Success(result=InlineResult().write({"rows": 3}))

    assert State.deserialize(state.serialize()).result == {"rows": 3}


def test_an_inline_result_refuses_what_is_large_or_not_json() -> None:
    with pytest.raises(InvalidArgument, match="at most 65536 bytes"):
        InlineResult().write("x" * 70_000)
    with pytest.raises(InvalidArgument, match="JSON"):
        InlineResult().write({1, 2})


def test_an_unknown_state_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="'Sleeping'"):
        State.deserialize({"type": "Sleeping"})


def test_states_are_equal_by_kind_result_and_fields() -> None:
    assert Success("a", result=1) == Success("b", result=1)
    assert Success(result=1) != Success(result=2)
    assert Success() != states.Cached()
    assert states.Retrying(start_time=WHEN, run_count=1) != states.Retrying(start_time=WHEN, run_count=2)
    assert Success(result=Result(1)) == Success(result=1)


def test_a_time_without_a_zone_is_utc() -> None:
    assert states.Scheduled(start_time=WHEN.replace(tzinfo=None)).start_time == WHEN


def test_a_state_shows_its_words() -> None:
    assert repr(Success("All well.")) == '<Success: "All well.">'
    assert repr(states.Pending()) == "<Pending>"


def test_signals_are_not_caught_by_accident() -> None:
    for signal in (signals.FAIL, signals.SKIP, signals.LOOP, signals.RETRY, signals.PAUSE, signals.SUCCESS):
        assert not issubclass(signal, Exception)
        assert signals.signal_from_state(signal("m").state) is signal
    with pytest.raises(ValueError, match="Running"):
        signals.signal_from_state(states.Running())


def test_signals_survive_pickling_with_their_state() -> None:
    copy = pickle.loads(pickle.dumps(signals.FAIL("no")))

    assert copy.state == states.Failed(result=copy)
    assert copy.state.message == "no"
