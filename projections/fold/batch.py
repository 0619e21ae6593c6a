"""Folding a batch: each commit goes to the fold of its kind of aggregate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from headwater.core.events import AnyEvent, RunAttemptLost, RunCreated, RunRestarted, event_type
from headwater.core.log import subjects
from headwater.core.log.commit import Commit, Position
from headwater.core.log.protocol import Recorded
from headwater.projections.fold.catalogue import fold_catalogue_event
from headwater.projections.fold.changes import CannotApply, Changes
from headwater.projections.fold.known_run import KnownRun
from headwater.projections.fold.runs import fold_run_commit
from headwater.projections.fold.task_runs import TASK_RUN_EVENTS, task_run_key
from headwater.projections.tables import DeadLetterEntry

_UNREADABLE = "?"
_ON_ALL_TASK_RUNS = (RunAttemptLost, RunRestarted)


@dataclass
class ToLoad:
    """What a batch goes on with that is not at hand: runs, task runs (with the ids of their runs), and runs with all of their task runs."""

    runs: set[str] = field(default_factory=set)
    task_runs: set[tuple[str, str, int]] = field(default_factory=set)
    with_all_task_runs: set[str] = field(default_factory=set)


def runs_to_load(batch: Sequence[Recorded], known: dict[str, KnownRun]) -> ToLoad:
    """Return what must be loaded before the batch is folded; what it creates itself is left out."""
    needed = ToLoad()
    created: set[str] = set()
    for recorded in batch:
        address = subjects.parse(recorded.subject)
        if address is None or address.kind != "run":
            continue
        run_id = address.id
        run = known.get(run_id)
        if run_id in created or (run is not None and run.has_all_task_runs):
            continue
        events = recorded.events
        if events and run is None and run_id not in needed.runs:
            if type(events[0]) is RunCreated:
                created.add(run_id)
                continue
            needed.runs.add(run_id)
        for event in events:
            if type(event) in TASK_RUN_EVENTS:
                key = task_run_key(event)  # type: ignore[arg-type]
                if run is None or key not in run.task_runs:
                    needed.task_runs.add((run_id, *key))
            elif isinstance(event, _ON_ALL_TASK_RUNS):
                needed.with_all_task_runs.add(run_id)
    return needed


def fold_batch(batch: Sequence[Recorded], known: dict[str, KnownRun]) -> Changes:
    """Fold the batch into changes. `known` holds the runs that exist; new ones are added to it.

    Dead letters, and commits that contradict what was before them, become dead letters in the changes; all others are folded, once.
    """
    changes = Changes()
    for recorded in batch:
        if (dead := recorded.dead_letter) is not None:
            note_dead_letter(changes, recorded, _UNREADABLE, dead.reason)
            continue
        try:
            fold_commit(changes, known, recorded)
        except CannotApply as error:
            note_dead_letter(changes, recorded, described(recorded), str(error))
    return changes


def fold_commit(changes: Changes, known: dict[str, KnownRun], recorded: Recorded) -> None:
    """Fold one commit that can be read.

    Raises:
        CannotApply: it contradicts what was before it; nothing of it was folded.

    """
    commit = recorded.commit
    kind, about = subjects.address(recorded.subject)
    if kind == "run":
        unknown = fold_run_commit(changes, known, about, recorded.position, commit)
    else:
        unknown = _fold_others(changes, about, recorded.position, commit)
    if unknown:
        names = ", ".join(sorted({event_type(event) for event in unknown}))
        note_dead_letter(changes, recorded, names, "This version does not know these events; the others of the commit were applied.")


def _fold_others(changes: Changes, aggregate_id: str, position: Position, commit: Commit) -> list[AnyEvent]:
    return [event for event in commit.events if not fold_catalogue_event(changes, aggregate_id, position, commit, event)]


def note_dead_letter(changes: Changes, recorded: Recorded, event: str, reason: str) -> None:
    """Note a commit that could not be applied, or not wholly."""
    changes.dead_letters.append(DeadLetterEntry(recorded.position, recorded.subject, event, reason, recorded.recorded_at))


def described(recorded: Recorded) -> str:
    """Return the names of the commit's events, for those who look at dead letters."""
    return ", ".join(dict.fromkeys(map(event_type, recorded.events))) or _UNREADABLE
