"""The views show what the rules say, however the log is cut into batches and whatever the projector forgot between them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from harness.views_fixtures import VIEW_TABLES

from headwater.core.errors import CommandRejected
from headwater.core.events import (
    EdgeSpec,
    Failure,
    ResultReference,
    RunCreated,
    RunFailed,
    RunRestarted,
    RunScheduled,
    RunStarted,
    RunSubmitted,
    StorageReference,
    TaskRunArtifactCreated,
    TaskRunArtifactDeleted,
    TaskRunCached,
    TaskRunEvent,
    TaskRunFailed,
    TaskRunMapped,
    TaskRunNamed,
    TaskRunPaused,
    TaskRunResumed,
    TaskRunRetryScheduled,
    TaskRunSkipped,
    TaskRunStarted,
    TaskRunSucceeded,
)
from headwater.core.log import subjects
from headwater.core.log.codec import encode
from headwater.core.log.commit import new_commit
from headwater.core.log.protocol import LogTail, Recorded
from headwater.core.runs import commands
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.runs.rules import RULES, Run
from headwater.core.runs.set_state import RUN_STATES, TASK_RUN_STATES
from headwater.core.values.identifiers import artifact_address, derived_id, flow_group_id, flow_version_id
from headwater.projections.apply import KNOWN_TASK_RUNS_MAX, Applier
from headwater.projections.schema import create_build, create_meta_schema, write_into

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SLUGS = ("extract", "transform", "load")
EDGES = (EdgeSpec("extract", "transform", key="rows", mapped=True), EdgeSpec("transform", "load"))
PROJECT = derived_id("project")
GROUP = flow_group_id(PROJECT, "etl")


class World:
    """Runs to which random things happen, each allowed by the rules; every commit is kept as the log would."""

    def __init__(self, seed: int) -> None:
        self.source = random.Random(seed)
        self.runs: dict[str, Run] = {}
        self.log: list[Recorded] = []
        self.now = NOON

    def happen(self, times: int) -> None:
        for _ in range(times):
            self.now += timedelta(seconds=self.source.random() * 600)
            if not self.runs or self.source.random() < 0.1:
                run_id = derived_id("run", str(self.source.random()))
                self.runs[run_id] = RULES.initial
                self.append(run_id, self.creation(run_id))
            run_id = self.source.choice(list(self.runs))
            try:
                self.append(run_id, self.command(self.runs[run_id]))
            except CommandRejected:
                continue

    def append(self, run_id: str, command: commands.RunCommand) -> None:
        events = RULES.decide(self.runs[run_id], command)
        if events:
            self.runs[run_id] = RULES.fold(events, self.runs[run_id])
            position = len(self.log) + 1
            data = encode(new_commit(events, at=self.now, actor="somebody"))
            self.log.append(Recorded(position, subjects.run(run_id), self.now, data))

    def creation(self, run_id: str) -> commands.CreateRun:
        return commands.CreateRun(
            RunCreated(
                run_id=run_id,
                flow_id=flow_version_id(GROUP, 1),
                flow_group_id=GROUP,
                project_id=PROJECT,
                project_name="p",
                flow_name="etl",
                flow_version=1,
                name="a run",
                queue_id="q",
                storage=StorageReference("Local"),
            ),
            self.now,
        )

    def command(self, run: Run) -> commands.RunCommand:
        attempt = run.attempt if self.source.random() < 0.9 else run.attempt + 1
        everything: list[commands.RunCommand] = [
            commands.ClaimRun(run.generation, f"agent-{attempt}", "mill"),
            commands.ClaimRun(run.generation, f"agent-{attempt}", "mill"),
            commands.StartRun(attempt, self.now),
            commands.MarkAttemptLost(attempt, "gone", self.now, attempts_max=5),
            commands.CancelRun(self.now, self.source.choice(["", "no need"])),
            commands.ConfirmCancelled(attempt, self.now),
            commands.RescheduleRun(self.now + timedelta(hours=1)),
            commands.RestartRun(self.now, SLUGS, EDGES, self.source.choice(["", *SLUGS]), "again"),
            commands.SuspendRun(attempt, self.now, self.source.choice([None, self.now]), "later"),
            commands.ResumeTaskRuns(self.now, (), "go on"),
            commands.SetRunState(self.now, self.source.choice(RUN_STATES), "by hand", None, SLUGS, EDGES),
            commands.SetTaskRunState(
                self.now, *self.source.choice([("load", -1), ("load", 0)]), self.source.choice(TASK_RUN_STATES), "", SLUGS
            ),
            commands.RenameRun(f"renamed {self.now}"),
            commands.DeleteRun("a trial"),
            CreateArtifact(self.now, self.source.choice(SLUGS), -1, self.artifact(), "link", {"link": f"/{self.now}"}, SLUGS),
            UpdateArtifact(self.now, self.artifact(run), {"link": f"/again/{self.now}"}),
            DeleteArtifact(self.now, self.artifact(run)),
            commands.FinishRun(attempt, self.now, failed=self.source.random() < 0.5, message="the end", failure=Failure("E", "x")),
            commands.FinishRun(attempt, self.now, failed=False, message="the end", events=tuple(self.task_run_events())),
            *(commands.RecordTaskRuns(attempt, tuple(self.task_run_events())) for _ in range(25)),
        ]
        return self.source.choice(everything)

    def artifact(self, run: Run | None = None) -> str:
        """The id of an artifact that the run has, or a new one; sometimes one of any run."""
        known = list(run.artifacts) if run is not None and self.source.random() < 0.9 else []
        return self.source.choice(known) if known else derived_id("artifact", str(self.source.randrange(200)))

    def task_run_events(self) -> list[TaskRunEvent]:
        slug, index = self.source.choice(SLUGS), self.source.choice([-1, -1, 0, 1])
        place: dict[str, Any] = {"slug": slug, "map_index": index, "at": self.now, "message": f"at {self.now}"}
        return self.source.sample(
            [
                TaskRunStarted(**place, run_count=self.source.randint(1, 3)),
                TaskRunSucceeded(**place, result=ResultReference("Local", "/r")),
                TaskRunFailed(**place, failure=Failure("ValueError", "no\0")),
                TaskRunRetryScheduled(**place, due_at=self.now, run_count=1),
                TaskRunSkipped(**place),
                TaskRunCached(**place, cache={"key": "shared"}),
                TaskRunPaused(**place, due_at=self.source.choice([None, self.now])),
                TaskRunResumed(**place),
                TaskRunMapped(**place, child_count=2),
                TaskRunNamed(**place, name="a name"),
                TaskRunArtifactCreated(**place, artifact_id=self.artifact(), kind="markdown", data={"markdown": f"at {self.now}"}),
                TaskRunArtifactDeleted(**place, artifact_id=self.artifact()),
            ],
            k=1,
        )


async def folded(
    database_url: str, batches: Sequence[Sequence[Recorded]], *, forgetful: bool = False, known_task_runs_max: int = KNOWN_TASK_RUNS_MAX
) -> dict[str, list[Any]]:
    """The rows of a new build after these batches. A forgetful projector knows nothing but the rows after each."""
    db = await asyncpg.connect(database_url)
    try:
        await create_meta_schema(db)
        build = await create_build(db, LogTail("a log", batches[-1][-1].position))
        await write_into(db, build)
        applier = Applier(db, build, known_task_runs_max=known_task_runs_max)
        for batch in batches:
            await applier.apply(batch)
            if forgetful:
                applier = Applier(db, replace(build, position=applier.position))
        return {table: await db.fetch(f"SELECT * FROM {table} ORDER BY {key}") for table, key in VIEW_TABLES.items()}
    finally:
        await db.close()


@pytest.mark.parametrize("seed", range(3))
async def test_the_views_show_what_the_rules_say(database_url: str, seed: int) -> None:
    world = World(seed)
    world.happen(2000)
    cuts = sorted(world.source.sample(range(1, len(world.log)), 40))
    batches = [world.log[start:end] for start, end in zip([0, *cuts], [*cuts, len(world.log)], strict=True)]
    rows = await folded(database_url, batches)

    assert rows["set_aside"] == []
    kept = {run_id: run for run_id, run in world.runs.items() if not run.deleted}
    assert len(rows["runs"]) == len(kept) < len(world.runs)
    assert {row["run_id"] for table in ("run_states", "task_run_states") for row in rows[table]} <= {row["id"] for row in rows["runs"]}
    for row in rows["runs"]:
        run = kept[str(row["id"])]
        assert (row["name"], row["state"], row["state_message"]) == (run.name, run.state, run.message)
        assert (row["attempt"], row["held"], row["cancel_requested"]) == (run.attempt, run.held, run.cancel_requested)
        assert (row["scheduled_start_time"], row["start_time"], row["end_time"]) == (run.scheduled_for, run.started_at, run.ended_at)
        assert (row["agent_id"] or "", row["agent_name"] or "") == (run.agent_id, run.agent_name)
    task_runs = {(str(row["run_id"]), row["slug"], row["map_index"]): row for row in rows["task_runs"]}
    known = {(run_id, *key): task_run for run_id, run in kept.items() for key, task_run in run.task_runs.items()}
    assert task_runs.keys() == known.keys()
    for key, task_run in known.items():
        row = task_runs[key]
        assert (row["state"], row["name"] or "") == (task_run.state, task_run.name)
        assert (row["start_time"], row["end_time"], row["run_count"] or 0) == (task_run.started_at, task_run.ended_at, task_run.run_count)
        assert (row["state_message"], row["retry_at"], row["child_count"]) == (task_run.message, task_run.due_at, task_run.child_count)
    artifacts = {row["id"]: (row["slug"], row["map_index"], row["kind"]) for row in rows["artifacts"]}
    assert artifacts == {
        artifact_address(run_id, each): tuple(found) for run_id, run in kept.items() for each, found in run.artifacts.items()
    }
    assert artifacts
    counted = {row["state"]: row["count"] for row in rows["run_counts"] if row["hour"].year == 1}
    assert counted == Counter(str(run.state) for run in kept.values())


async def test_how_the_log_is_cut_into_batches_changes_nothing(database_url: str) -> None:
    world = World(11)
    world.happen(800)

    at_once = await folded(database_url, [world.log])
    one_by_one = await folded(database_url, [[each] for each in world.log])
    assert at_once == one_by_one
    forgetful = await folded(database_url, [[each] for each in world.log], forgetful=True)
    assert at_once == forgetful


@pytest.mark.parametrize("task_runs_max", [0, 30])
async def test_how_many_task_runs_are_kept_in_mind_changes_nothing(database_url: str, task_runs_max: int) -> None:
    world = World(12)
    world.happen(800)
    batches = [world.log[start : start + 20] for start in range(0, len(world.log), 20)]
    kept = await folded(database_url, batches)

    assert await folded(database_url, batches, known_task_runs_max=task_runs_max) == kept


async def test_a_slug_that_postgresql_cannot_keep_is_sent_back_by_a_restart_all_the_same(database_url: str) -> None:
    odd: dict[str, Any] = {"slug": "load\0", "at": NOON}
    run_id = derived_id("odd")
    world = World(0)
    creation = RULES.decide(RULES.initial, world.creation(run_id))
    history: list[Sequence[Any]] = [
        [*creation, RunSubmitted(1, "agent"), RunStarted(1, NOON)],
        [TaskRunStarted(**odd), TaskRunFailed(**odd, failure=Failure("E", "x")), RunFailed(NOON, 1)],
        [RunRestarted(tasks=("load\0",)), RunScheduled(NOON, 2)],
    ]
    log = [
        Recorded(number, subjects.run(run_id), NOON, encode(new_commit(events, at=NOON, actor="somebody")))
        for number, events in enumerate(history, 1)
    ]
    for forgetful in (False, True):
        rows = await folded(database_url, [[each] for each in log], forgetful=forgetful)
        assert [(row["slug"], row["state"], row["failure"]) for row in rows["task_runs"]] == [("load\ufffd", "Pending", None)]
        assert rows["set_aside"] == []
