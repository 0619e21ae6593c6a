"""The rehearsal of an attempt: the zygote executes a small one itself before it forks any.

What Python does when code is executed for the first times (it fills caches, and rewrites the code for what it meets) is done then, on
pages of memory that all children share. A spare process rehearses once more, while it waits: what a run writes to is copied then.
"""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import cloudpickle
import msgspec

from headwater.agents.attempt_channel import channel_pair, pieces_of
from headwater.agents.attempt_protocol import Answered, Briefing, FromSupervisor, LeftOver, encode
from headwater.agents.attempt_spec import AttemptSpec, RunSnapshot
from headwater.agents.run_process.briefed_run import run_in
from headwater.agents.run_process.execution import Execution, Interruption
from headwater.agents.run_process.supervisor_link import SupervisorLink
from headwater.core.events import RunCreated, RunScheduled, RunSubmitted, StorageReference
from headwater.core.values.identifiers import new_id
from headwater.sdk.context.logging import setup_undone
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow

TASKS = 3
TIMES = 8
"""Python rewrites code that was executed so often for what it met."""


def rehearse(times: int = TIMES) -> None:
    """Execute a small attempt as a run's process does, with a supervisor that agrees to all of it, and leave nothing of it behind."""
    before = signal.getsignal(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # one that comes meanwhile is not for the rehearsal
    try:
        with setup_undone():
            for _ in range(times):
                _execute()
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


def _execute() -> None:
    run_id = new_id()
    ours, theirs = channel_pair()
    with ours, theirs:
        answers: tuple[FromSupervisor, ...] = (
            Briefing(_snapshot(run_id)),
            Answered(1),
            Answered(2, value=msgspec.Raw(encode(LeftOver()))),
        )
        for number, answer in enumerate(answers, start=1):
            for piece in pieces_of(number, encode(answer)):
                theirs.send(piece)
        link = SupervisorLink(ours)
        run = run_in(link.begin())
        spec = AttemptSpec(run_id=run_id, attempt=1, nats_url="")
        Execution(spec, link, run, Interruption(), load=lambda: _loaded(cloudpickle.dumps(_flow()))).execute()


def _snapshot(run_id: str) -> RunSnapshot:
    created = RunCreated(run_id, run_id, run_id, run_id, "rehearsal", "rehearsal", 1, "rehearsal", "rehearsal", StorageReference("Local"))
    return RunSnapshot(created, RunScheduled(datetime.now(UTC), 1), RunSubmitted(1, "agent", "agent"), 3)


def _flow() -> Flow:
    @task
    def step(number: int) -> int:
        return number + 1

    # None takes the value of another: such values are kept, in files.
    with Flow("rehearsal") as flow:
        last = step(0)
        for number in range(1, TASKS):
            last = step(number, upstream_tasks=[last])
    return flow


def _loaded(stored: bytes) -> Flow:
    flow: Flow = cloudpickle.loads(stored)
    return flow
