"""Given the events of a cancelled run, when it is explained, then by its cause: its own words, and what can be done."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from harness.commits import AT, a_creation

from headwater.audit import Explanation, Reason, RunContext, explain
from headwater.core.events import CancelCause, RunCancelled, RunCancelRequested, RunCreated, RunRestarted
from headwater.core.log import subjects
from headwater.core.log.commit import new_commit
from headwater.core.log.memory import MemoryLog
from headwater.core.values.identifiers import new_id

RUN = new_id()
CREATION = a_creation(RUN, "a-queue")
GROUP = next(event.flow_group_id for event in CREATION.events if isinstance(event, RunCreated))
RESTART = f"`headwater restart {RUN}` executes it after all."
NEWEST = f"Create a run of the newest version instead: `Client().create_flow_run(version_group_id={GROUP!r})`."
REGISTER = f"Register the flow again; then `Client().create_flow_run(version_group_id={GROUP!r})` creates a run of it."
ANEW = "Its project and its flow are gone: create a project, register the flow in it, and create a run of that."
WITH_PARENT = f"{RESTART[:-1]}; restart its parent too, if that is to go on with it."

BESIDE = f"{RESTART[:-1]}, beside the run that took its place."


class Told(NamedTuple):
    cause: str
    reason: Reason
    hint: str


TOLD = [
    Told("user", Reason.CANCELLED, RESTART),
    Told("flow_archived", Reason.FLOW_ARCHIVED, NEWEST),
    Told("flow_deleted", Reason.FLOW_DELETED, REGISTER),
    Told("project_deleted", Reason.PROJECT_DELETED, ANEW),
    Told("parent_cancelled", Reason.PARENT_CANCELLED, WITH_PARENT),
    Told("schedule", Reason.REPLACED, BESIDE),
    Told("backfill_cancelled", Reason.BACKFILL_CANCELLED, RESTART),
]
MISLEADING = ["", "The archive was deleted.", "Project tutorial was deleted.", "Flow x was archived.", "Its parent run 'x' was cancelled."]


async def explained(asked: RunCancelRequested, actor: str = "server", *, after: RunCancelRequested | None = None) -> Explanation:
    """Explain a run that was cancelled so, and `after` an earlier life that was."""
    log, subject, position = MemoryLog(), subjects.run(RUN), 0
    lives = [asked] if after is None else [after, asked]
    commits = [CREATION]
    for number, each in enumerate(lives):
        again = [RunRestarted()] if number else []
        commits.append(new_commit([*again, each, RunCancelled(at=AT, message=each.reason)], at=AT, actor=actor))
    for commit in commits:
        position = await log.events.append(subject, commit, expected=position)
    return explain(await log.events.read(subject), RunContext(), AT)


def test_every_cause_is_explained() -> None:
    assert {told.cause for told in TOLD} == set(CancelCause)


@pytest.mark.parametrize("words", MISLEADING)
@pytest.mark.parametrize("actor", ["server", "cli:ana@river"])
@pytest.mark.parametrize("told", TOLD, ids=lambda told: told.cause)
async def test_the_cause_decides_and_no_word_of_the_sentence(told: Told, actor: str, words: str) -> None:
    found = await explained(RunCancelRequested(words, told.cause), actor)

    assert (found.reason, found.hint) == (told.reason, told.hint)
    assert found.words == f"It was cancelled by {actor}{f': {words}' if words else '.'}"


async def test_of_a_cause_that_a_newer_version_gave_the_sentence_is_shown_and_no_advice_is_guessed() -> None:
    found = await explained(RunCancelRequested("The archive's budget is spent.", "budget_spent"))

    assert (found.reason, found.hint) == (Reason.CANCELLED, "")
    assert found.words == "It was cancelled by server: The archive's budget is spent."


@pytest.mark.parametrize(
    ("actor", "words", "expected"),
    [
        ("server", "Flow 8f14e45f was archived.", Reason.FLOW_ARCHIVED),
        ("server", "Version 1 of the flow was archived.", Reason.FLOW_ARCHIVED),
        ("server", "Project tutorial was deleted.", Reason.PROJECT_DELETED),
        ("server", "Project the archive was deleted.", Reason.PROJECT_DELETED),
        ("server", "Project two\nlines was deleted.", Reason.PROJECT_DELETED),
        ("agent:a-1", "Its parent run 'quiet-heron' was cancelled.", Reason.PARENT_CANCELLED),
        ("server", "", Reason.CANCELLED),
        ("cli:ana@river", "Project tutorial was deleted.", Reason.CANCELLED),
        ("cli:ana@river", "The flow was archived.", Reason.CANCELLED),
    ],
)
async def test_what_was_stored_before_there_were_causes_is_explained_by_its_sentence(actor: str, words: str, expected: Reason) -> None:
    assert (await explained(RunCancelRequested(words), actor)).reason is expected


async def test_the_cause_of_the_present_life_counts() -> None:
    found = await explained(RunCancelRequested("enough", "user"), after=RunCancelRequested("", "flow_archived"))

    assert found.reason is Reason.CANCELLED
