"""The artifacts of one attempt: whose they are is known, from whichever task and process a change comes."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from headwater.agents.run_process.artifact_recorder import ArtifactRecorder
from headwater.core.errors import InvalidArtifact, NotFound
from headwater.core.events import TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactUpdated, TaskRunEvent
from headwater.core.runs.artifact import Artifact
from headwater.sdk.context.logging import get_logger
from headwater.sdk.executors import artifacts
from headwater.sdk.executors.artifacts import record_artifact, record_artifacts_with
from headwater.sdk.executors.log_lines import Lines, Sink
from headwater.sdk.executors.task_call import TaskCall
from headwater.sdk.language.decorators import task

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
A = "0197a3c1-2222-7333-8444-555566667777"
PLACE: dict[str, Any] = {"slug": "report-1", "at": datetime(2020, 1, 1, tzinfo=UTC), "artifact_id": A}
DELETED = TaskRunArtifactDeleted(**PLACE)


@pytest.fixture(autouse=True)
def no_recorder() -> Iterator[None]:
    yield
    artifacts._recorders.clear()


@task
def report() -> None:
    pass


def test_a_change_names_the_task_run_that_made_the_artifact_and_the_time_of_its_record() -> None:
    recorded: list[TaskRunEvent] = []
    record = ArtifactRecorder(recorded.append, {A: Artifact("load-1", 3, "link")}, clock=lambda: NOON)

    record.take(TaskRunArtifactUpdated(**PLACE, data={"link": "/x"}))
    record.take(DELETED)

    assert [(event.slug, event.map_index, event.at) for event in recorded] == [("load-1", 3, NOON)] * 2


def test_what_the_run_does_not_have_or_is_of_another_kind_is_refused() -> None:
    recorded: list[TaskRunEvent] = []
    record = ArtifactRecorder(recorded.append, {})

    with pytest.raises(NotFound, match=A):
        record.take(DELETED)
    record.take(TaskRunArtifactCreated(**PLACE, kind="markdown", data={"markdown": "x"}))
    with pytest.raises(InvalidArtifact, match="The data of a markdown artifact"):
        record.take(TaskRunArtifactUpdated(**PLACE, data={"link": "/x"}))
    record.take(DELETED)
    with pytest.raises(NotFound):
        record.take(DELETED)
    assert len(recorded) == 2


def test_a_forked_child_does_not_record_where_no_writer_appends(capfd: pytest.CaptureFixture[str]) -> None:
    record_artifacts_with(ArtifactRecorder(lambda _: None, {A: Artifact("load-1", -1, "link")}).take)

    child = os.fork()
    if not child:
        os._exit(int(record_artifact(DELETED)))

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert record_artifact(DELETED) is True


def test_a_change_from_another_process_that_cannot_be_recorded_is_a_line_of_the_run_and_its_task_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    record_artifacts_with(ArtifactRecorder(lambda _: None, {}).take)
    lines, sent = Lines(), list[bytes]()
    number = lines.expect(TaskCall(report, {}, {"logger": get_logger()}))
    Sink(number, sent.append).take_artifact(DELETED)
    logger = logging.getLogger("headwater")
    logger.addHandler(caplog.handler)

    lines.take(sent[0])
    lines.finish(number, sent=1, left=())

    logger.removeHandler(caplog.handler)
    assert f"Not recorded: Artifact '{A}' not found." in caplog.text
