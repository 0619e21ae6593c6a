"""What is said of a cancelled run: which reason counts, and what its people can do, by the cause that its request gives."""

from __future__ import annotations

import re

from headwater.core.events import CancelCause, RunCancelRequested, RunCreated
from headwater.core.hints import CreateRunOfAction, Hint, RestartRunAction, hint

_PROJECT_DELETED_BEFORE = re.compile(r"Project .* was deleted\.", re.DOTALL)
_PARENT_CANCELLED_BEFORE = re.compile(r"Its parent run .* was cancelled\.", re.DOTALL)


def cause_of(asked: RunCancelRequested, actor: str) -> CancelCause | None:
    """Return why the run was cancelled; None where a newer version gives a cause that this one does not know."""
    if not asked.cause:
        return _guessed_of_before(asked.reason, actor)
    try:
        return CancelCause(asked.cause)
    except ValueError:
        return None


def _guessed_of_before(reason: str, actor: str) -> CancelCause:
    """Return the cause of a request that was stored before requests had one: all that is left to go by are its words.

    These were the words of the servers and clients of then. Nothing else may read a reason to decide by it.
    """
    if actor == "server" and _PROJECT_DELETED_BEFORE.fullmatch(reason):
        return CancelCause.PROJECT_DELETED
    if actor == "server" and ("archiv" in reason.lower() or "deleted" in reason.lower()):
        return CancelCause.FLOW_ARCHIVED
    if _PARENT_CANCELLED_BEFORE.fullmatch(reason):
        return CancelCause.PARENT_CANCELLED
    return CancelCause.USER


def advice_after(cause: CancelCause | None, run: RunCreated) -> Hint | None:
    """Return what can be done after the run was cancelled for this cause; nothing where the cause is not known here."""
    match cause:
        case CancelCause.USER:
            return hint("{} executes it after all.", RestartRunAction(run.run_id))
        case CancelCause.FLOW_ARCHIVED:
            return hint("Create a run of the newest version instead: {}.", CreateRunOfAction(run.flow_group_id))
        case CancelCause.FLOW_DELETED:
            return hint("Register the flow again; then {} creates a run of it.", CreateRunOfAction(run.flow_group_id))
        case CancelCause.PROJECT_DELETED:
            return hint("Its project and its flow are gone: create a project, register the flow in it, and create a run of that.")
        case CancelCause.PARENT_CANCELLED:
            return hint("{} executes it after all; restart its parent too, if that is to go on with it.", RestartRunAction(run.run_id))
        case CancelCause.BACKFILL_CANCELLED:
            return hint("{} executes it after all.", RestartRunAction(run.run_id))
        case CancelCause.SCHEDULE:
            return hint("{} executes it after all, beside the run that took its place.", RestartRunAction(run.run_id))
        case None:
            return None
