"""What to do next, as data: an error or an explanation names actions, and each front end words them its own way.

The command line gives the command to type, the pages name what is on them, and Python gives the call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from headwater.outside import outside


class ListProjectsAction(NamedTuple):
    pass


class ListFlowsAction(NamedTuple):
    """List the flows of a project, or of all; also versions that are archived, where these are asked for."""

    project: str = ""
    all_versions: bool = False


class ListRunsAction(NamedTuple):
    pass


class ListKeysAction(NamedTuple):
    pass


class ListSchedulesAction(NamedTuple):
    pass


class ListDeadLettersAction(NamedTuple):
    pass


class CreateProjectAction(NamedTuple):
    name: str


class CreateRunOfAction(NamedTuple):
    """Create a run of the newest version of the flow with this group id."""

    flow_group_id: str


class ExplainRunAction(NamedTuple):
    run_id: str


class ShowRunLogsAction(NamedTuple):
    run_id: str


class RestartRunAction(NamedTuple):
    run_id: str


class ResumeRunAction(NamedTuple):
    run_id: str


class CancelRunAction(NamedTuple):
    run_id: str


class SetConcurrencyAction(NamedTuple):
    """Limit how many runs of this flow are executed at once."""

    flow: str
    project: str


class SetQueueLimitAction(NamedTuple):
    pass


class StartAgentAction(NamedTuple):
    """Start an agent that takes runs with these labels."""

    labels: tuple[str, ...] = ()


class StartServerAction(NamedTuple):
    pass


class ShowServerStatusAction(NamedTuple):
    pass


class ShowViewsStatusAction(NamedTuple):
    pass


class RunDoctorAction(NamedTuple):
    pass


AnyAction = (
    ListProjectsAction
    | ListFlowsAction
    | ListRunsAction
    | ListKeysAction
    | ListSchedulesAction
    | ListDeadLettersAction
    | CreateProjectAction
    | CreateRunOfAction
    | ExplainRunAction
    | ShowRunLogsAction
    | RestartRunAction
    | ResumeRunAction
    | CancelRunAction
    | SetConcurrencyAction
    | SetQueueLimitAction
    | StartAgentAction
    | StartServerAction
    | ShowServerStatusAction
    | ShowViewsStatusAction
    | RunDoctorAction
)
"""What people can do. No dataclasses: so many would take longer to make than all else that errors import."""


class Hint(NamedTuple):
    """What to do, in a sentence: each `{}` of it stands for one of the actions."""

    sentence: str
    actions: tuple[AnyAction, ...] = ()

    def worded(self, name: Callable[[AnyAction], str]) -> str:
        """Return the sentence, with each action named as this front end names it."""
        parts = self.sentence.split("{}")
        named = [*(name(action) for action in self.actions), *[""] * len(parts)]
        return "".join(part + action for part, action in zip(parts, named, strict=False))


def hint(sentence: str, *actions: AnyAction) -> Hint:
    """Return the hint whose sentence names these actions, in their order."""
    return Hint(sentence, actions)


def words(found: Hint | str | None) -> str | None:
    """Return the hint as people of this process read it."""
    return found.worded(outside.name_action) if isinstance(found, Hint) else found
