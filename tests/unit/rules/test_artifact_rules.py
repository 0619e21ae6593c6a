"""The rules of artifacts, in events: what task runs leave for people to look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.core.errors import IllegalTransition, InvalidArgument, InvalidArtifact, NotFound
from headwater.core.events import (
    AnyEvent,
    RunCreated,
    RunDeleted,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    StorageReference,
    TaskRunArtifactCreated,
    TaskRunArtifactDeleted,
    TaskRunArtifactUpdated,
    TaskRunStarted,
)
from headwater.core.runs.artifact import Artifact, valid_data
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.runs.commands import RecordTaskRuns, RestartRun
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run
from headwater.core.values.identifiers import artifact_address, split_artifact_address

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A = "0197a3c1-2222-7333-8444-555566667777"
B = "0197a3c1-2222-7333-8444-555566668888"
CREATED = RunCreated(
    run_id="r",
    flow_id="f",
    flow_group_id="g",
    project_id="p",
    project_name="tutorial",
    flow_name="hello-flow",
    flow_version=1,
    name="quiet-heron",
    queue_id="q",
    storage=StorageReference(type="Local"),
)
RUNNING = (CREATED, RunScheduled(NOON, 1), RunSubmitted(1, "agent-1"), RunStarted(1, NOON))
ENDED = (*RUNNING, RunSucceeded(1, NOON))
LINK = {"link": "https://example.com"}
MADE = TaskRunArtifactCreated(slug="load", at=NOON, artifact_id=A, kind="link", data=LINK)
CHANGED = TaskRunArtifactUpdated(slug="load", at=NOON, artifact_id=A, data={"link": "/x"})
GONE = TaskRunArtifactDeleted(slug="load", at=NOON, artifact_id=A)


def given(*events: AnyEvent) -> Run:
    return RULES.fold(events)


def create(kind: str = "link", data: Any = None, slug: str = "load") -> CreateArtifact:
    return CreateArtifact(NOON, slug, -1, A, kind, LINK if data is None else data, ("load", "store"))


def test_an_artifact_is_created_updated_and_deleted_also_after_the_end_of_its_run() -> None:
    for history in (RUNNING, ENDED):
        assert RULES.decide(given(*history), create()) == [MADE]
        assert RULES.decide(given(*history, MADE), UpdateArtifact(NOON, A, {"link": "/x"})) == [CHANGED]
        assert RULES.decide(given(*history, MADE, CHANGED), DeleteArtifact(NOON, A)) == [GONE]
        assert RULES.decide(given(*history, MADE), create()) == []


def test_the_run_knows_which_task_run_has_which_artifact_and_its_task_runs_stay_as_they_are() -> None:
    child = TaskRunArtifactCreated(slug="store", map_index=3, at=NOON, artifact_id=B, kind="markdown", data={"markdown": "x"})
    run = given(*RUNNING, MADE, child)

    assert dict(run.artifacts) == {A: Artifact("load", -1, "link"), B: Artifact("store", 3, "markdown")}
    assert len(run.task_runs) == 0
    assert dict(given(*RUNNING, MADE, child, GONE).artifacts) == {B: Artifact("store", 3, "markdown")}


def test_a_restart_keeps_artifacts() -> None:
    events = RULES.decide(given(*ENDED, MADE), RestartRun(NOON, ("load",), (), from_task="load"))

    assert A in given(*ENDED, MADE, *events).artifacts


@pytest.mark.parametrize("command", [UpdateArtifact(NOON, A, LINK), DeleteArtifact(NOON, A)])
@pytest.mark.parametrize("history", [(), (MADE, GONE)])
def test_an_artifact_that_is_not_there_cannot_change(history: tuple[AnyEvent, ...], command: UpdateArtifact | DeleteArtifact) -> None:
    with pytest.raises(NotFound, match="Artifact"):
        RULES.decide(given(*RUNNING, *history), command)


def test_an_artifact_belongs_to_a_task_of_the_flow() -> None:
    with pytest.raises(NotFound, match="Task run 'nope' not found"):
        RULES.decide(given(*RUNNING), create(slug="nope"))


@pytest.mark.parametrize("command", [create(), UpdateArtifact(NOON, A, LINK), DeleteArtifact(NOON, A)])
def test_a_deleted_run_takes_no_artifacts(command: CreateArtifact | UpdateArtifact | DeleteArtifact) -> None:
    with pytest.raises(IllegalTransition, match="was deleted"):
        RULES.decide(given(*ENDED, MADE, RunDeleted()), command)


@pytest.mark.parametrize(
    ("history", "events", "recorded"),
    [
        ((), (MADE, CHANGED, GONE), (MADE, CHANGED, GONE)),
        ((MADE, GONE), (CHANGED,), ()),
        ((MADE, GONE), (TaskRunStarted(slug="load", at=NOON), GONE), (TaskRunStarted(slug="load", at=NOON),)),
        ((MADE,), (GONE, CHANGED), (GONE,)),
        ((MADE,), (MADE,), ()),
    ],
)
def test_what_an_attempt_says_of_an_artifact_that_another_user_deleted_is_left_out(
    history: Sequence[AnyEvent], events: Any, recorded: Sequence[AnyEvent]
) -> None:
    assert tuple(RULES.decide(given(*RUNNING, *history), RecordTaskRuns(1, events))) == recorded


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("link", LINK),
        ("link", {"link": "s3://bucket/a b"}),
        ("markdown", {"markdown": ""}),
        ("markdown", {"markdown": "# Grüße\n\x1b[31m<b>\x00"}),
        ("markdown", {"markdown": "x" * (64 * 1024 - 15)}),
        ("table", {"columns": [], "rows": []}),
        ("table", {"columns": ["a", "b"], "rows": [[1, None], ["x", True]]}),
    ],
)
def test_what_can_be_shown_is_stored(kind: str, data: Any) -> None:
    assert valid_data(kind, data) == data


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("image", {}, "'image' is not a kind of artifact"),
        ("link", {"markdown": "x"}, "an object with 'link', and nothing else"),
        ("link", "x", "an object with 'link', and nothing else"),
        ("link", {"link": " "}, "A link is text that is not empty"),
        ("link", {"link": 3}, "A link is text that is not empty"),
        ("link", {"link": "java\nscript:alert(1)"}, "control character U+000A"),
        ("link", {"link": "x\u2028y"}, "control character U+2028"),
        ("link", {"link": "x\u2029y"}, "control character U+2029"),
        ("markdown", {"markdown": None}, "Markdown is text, and None is none"),
        ("markdown", {"markdown": "\udcff"}, "not UTF-8"),
        ("markdown", {"markdown": "x" * (64 * 1024)}, "has 65,551 bytes; at most 65,536 are allowed"),
        ("table", {"columns": ["a"]}, "an object with 'columns' and 'rows', and nothing else"),
        ("table", {"columns": [1], "rows": []}, "columns of a table are a list of texts"),
        ("table", {"columns": ["a"], "rows": [[1, 2]]}, "a value for each of its 1 columns"),
        ("table", {"columns": ["a"], "rows": ["x"]}, "a value for each of its 1 columns"),
        ("table", {"columns": ["a"], "rows": [[{"x": 1}]]}, "A cell of a table"),
        ("table", {"columns": ["a"], "rows": [[float("nan")]]}, "nan is not a JSON number"),
        ("table", {"columns": ["a"], "rows": [["x" * 1000]] * 100}, "at most 65,536 are allowed"),
    ],
)
def test_what_cannot_be_shown_is_refused_with_the_reason(kind: str, data: Any, words: str) -> None:
    with pytest.raises(InvalidArtifact) as refused:
        valid_data(kind, data)
    assert words in str(refused.value)
    assert isinstance(refused.value, ValueError)


def test_an_update_must_fit_the_kind_that_the_artifact_is_of() -> None:
    with pytest.raises(InvalidArtifact, match="The data of a link artifact"):
        RULES.decide(given(*RUNNING, MADE), UpdateArtifact(NOON, A, {"markdown": "x"}))


@pytest.mark.parametrize("address", ["", "x", f"{A}", f"{A}:", f"{A}:x", f"x:{A}", None])
def test_what_is_not_the_id_of_an_artifact_is_refused(address: Any) -> None:
    assert split_artifact_address(artifact_address(A, B)) == (A, B)
    with pytest.raises(InvalidArgument):
        split_artifact_address(address)


SHOW_LESS = "Show less, or write it to a file or an object store and make a link to that."


@pytest.mark.parametrize(
    ("kind", "data", "sentence", "advice"),
    [
        ("image", {}, "'image' is not a kind of artifact.", "Kinds are: link, markdown, table."),
        ("link", {"link": 3}, "A link is text that is not empty, and 3 is none.", None),
        ("link", {"link": ""}, "A link is text that is not empty, and '' is none.", None),
        ("markdown", {"markdown": 3}, "Markdown is text, and 3 is none.", None),
        ("table", {"columns": "ab", "rows": []}, "The columns of a table are a list of texts.", None),
        ("table", {"columns": ["a"], "rows": "x"}, "The rows of a table are lists with a value for each of its 1 columns.", None),
        ("table", {"columns": ["a"], "rows": [[[]]]}, "A cell of a table is a text, a number, true, false or null.", None),
        (
            "markdown",
            {"markdown": "x" * (64 * 1024)},
            "The markdown artifact has 65,551 bytes; at most 65,536 are allowed (64 KB).",
            SHOW_LESS,
        ),
    ],
)
def test_the_whole_sentence_and_what_to_do_instead(kind: str, data: Any, sentence: str, advice: str | None) -> None:
    with pytest.raises(InvalidArtifact) as refused:
        valid_data(kind, data)
    assert (str(refused.value), refused.value.advice) == (sentence, advice)
