"""Hints are data: they travel, and the command line, the pages and Python word them their own way, for every action there is."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from headwater.action_names import call_of, command_of
from headwater.core.errors import HeadwaterError, NotFound
from headwater.core.hint_codec import EncodedAction, EncodedHint, decode_hint, encode_hint
from headwater.core.hints import AnyAction, CreateProjectAction, Hint, RestartRunAction, ResumeRunAction, StartAgentAction, hint
from headwater.core.queries.codec import FailureKind, QueryFailure
from headwater.core.queries.views_client import raised
from headwater.web.action_names import worded

ACTIONS = [
    kind(**{name: {"labels": ("a b",), "all_versions": True}.get(name, "it's") for name in kind._fields}) for kind in get_args(AnyAction)
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_every_action_has_words_everywhere_and_travels(action: AnyAction) -> None:
    found = hint("First {}, then {}.", action, action)

    assert command_of(action).startswith("`headwater ")
    assert call_of(action).startswith(("`headwater ", "`Client()."))
    assert found.worded(command_of) == f"First {command_of(action)}, then {command_of(action)}."
    assert "{}" not in (worded(found) or "")
    assert decode_hint(msgspec.json.decode(msgspec.json.encode(encode_hint(found)), type=EncodedHint)) == found


def test_each_front_end_names_the_same_action_its_own_way() -> None:
    found = hint("{} executes it after all.", RestartRunAction("r-1"))

    assert found.worded(command_of) == "`headwater restart r-1` executes it after all."
    assert worded(found) == "“Restart” on the page of the run executes it after all."
    assert hint("Run {}.", ResumeRunAction("r-1")).worded(call_of) == "Run `Client().resume_flow_run('r-1')`."


def test_an_error_has_its_hint_as_a_note_and_what_it_was_worded_from() -> None:
    error = NotFound("project", "etl", hint=hint("Run {} to create it.", CreateProjectAction("etl")))

    assert error.hint == "Run `headwater create project 'etl'` to create it."
    assert error.__notes__ == [f"hint: {error.hint}"]
    error.advise("Look again.")
    assert (error.hint, error.__notes__) == ("Look again.", ["hint: Look again."])


def test_an_error_that_has_no_hint_any_more_has_no_note_of_it() -> None:
    error = HeadwaterError("x", hint="Look again.")
    error.advise(None)

    assert error.hint is None
    assert error.__notes__ == []


def test_a_hint_of_a_newer_version_is_shown_as_it_was_worded_there() -> None:
    newer = EncodedHint("{} helps.", (EncodedAction("Teleport", {"to": "mars"}),))
    failure = QueryFailure(FailureKind.INVALID, "No.", "`headwater teleport` helps.", advice=newer)

    assert decode_hint(newer) is None
    assert raised(failure).hint == "`headwater teleport` helps."
    known = msgspec.structs.replace(failure, advice=encode_hint(hint("Start one: {}", StartAgentAction(("gpu",)))))
    assert raised(known).hint == "Start one: `headwater agent local start --no-hostname-label -l gpu`"


def test_a_sentence_may_hold_what_looks_like_a_place() -> None:
    assert Hint("Nothing here: {}.", ()).worded(command_of) == "Nothing here: ."
    assert HeadwaterError("x", hint="Braces {} stay in texts.").hint == "Braces {} stay in texts."
