"""Folding a batch: each commit goes to the fold of its kind of aggregate."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.events import AnyEvent, RunCreated, event_type
from headwater.core.log import subjects
from headwater.core.log.commit import Commit, Position
from headwater.core.log.protocol import Recorded
from headwater.projections.copied_table import CopiedTable
from headwater.projections.fold.catalogue import fold_catalogue_event
from headwater.projections.fold.changes import CannotApply, Changes, text
from headwater.projections.fold.run_record import RunRecord
from headwater.projections.fold.runs import fold_run_commit

_UNREADABLE = "?"
SET_ASIDE = CopiedTable("set_aside", ("position", "subject", "event", "reason", "recorded_at"))


def runs_needed(batch: Sequence[Recorded], known: dict[str, RunRecord]) -> list[str]:
    """Return the ids of runs that the batch goes on with and that are not at hand; those it creates itself are left out."""
    needed: dict[str, None] = {}
    created: set[str] = set()
    for recorded in batch:
        address = subjects.parse(recorded.subject)
        if address is None or address.kind != "run":
            continue
        run_id = address.id
        if run_id in known or run_id in created or run_id in needed:
            continue
        events = recorded.events
        if events and type(events[0]) is RunCreated:
            created.add(run_id)
        elif events:
            needed[run_id] = None
    return list(needed)


def fold_batch(batch: Sequence[Recorded], known: dict[str, RunRecord]) -> Changes:
    """Fold the batch into changes. `known` holds the runs that exist; new ones are added to it.

    Dead letters, and commits that contradict what was before them, are set aside in the changes; all others are folded, once.
    """
    changes = Changes()
    for recorded in batch:
        if (dead := recorded.dead_letter) is not None:
            set_aside(changes, recorded, _UNREADABLE, dead.reason)
            continue
        try:
            fold_commit(changes, known, recorded)
        except CannotApply as error:
            set_aside(changes, recorded, described(recorded), str(error))
    return changes


def fold_commit(changes: Changes, known: dict[str, RunRecord], recorded: Recorded) -> None:
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
        set_aside(changes, recorded, names, "This version does not know these events; the others of the commit were applied.")


def _fold_others(changes: Changes, aggregate_id: str, position: Position, commit: Commit) -> list[AnyEvent]:
    return [event for event in commit.events if not fold_catalogue_event(changes, aggregate_id, position, commit, event)]


def set_aside(changes: Changes, recorded: Recorded, event: str, reason: str) -> None:
    """Note a commit that could not be applied, or not wholly."""
    changes.set_aside.append((recorded.position, text(recorded.subject), text(event), text(reason), recorded.recorded_at))


def described(recorded: Recorded) -> str:
    """Return the names of the commit's events, for those who look at what was set aside."""
    return ", ".join(dict.fromkeys(map(event_type, recorded.events))) or _UNREADABLE


__all__ = ["SET_ASIDE", "CannotApply", "described", "fold_batch", "fold_commit", "runs_needed", "set_aside"]
