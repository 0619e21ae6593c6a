"""What to do next, as data: an error or an explanation names actions, and each front end words them its own way.

The command line gives the command to type, the pages name what is on them, and Python gives the call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from headwater.outside import outside


@dataclass(frozen=True)
class Action:
    """Something that people can do."""


@dataclass(frozen=True)
class ListProjectsAction(Action):
    pass


@dataclass(frozen=True)
class ListFlowsAction(Action):
    """List the flows of a project, or of all; also versions that are archived, where these are asked for."""

    project: str = ""
    all_versions: bool = False


@dataclass(frozen=True)
class ListRunsAction(Action):
    pass


@dataclass(frozen=True)
class ListKeysAction(Action):
    pass


@dataclass(frozen=True)
class ListDeadLettersAction(Action):
    pass


@dataclass(frozen=True)
class CreateProjectAction(Action):
    name: str


@dataclass(frozen=True)
class CreateRunOfAction(Action):
    """Create a run of the newest version of the flow with this group id."""

    flow_group_id: str


@dataclass(frozen=True)
class ExplainRunAction(Action):
    run_id: str


@dataclass(frozen=True)
class ShowRunLogsAction(Action):
    run_id: str


@dataclass(frozen=True)
class RestartRunAction(Action):
    run_id: str


@dataclass(frozen=True)
class ResumeRunAction(Action):
    run_id: str


@dataclass(frozen=True)
class CancelRunAction(Action):
    run_id: str


@dataclass(frozen=True)
class SetConcurrencyAction(Action):
    """Limit how many runs of this flow are executed at once."""

    flow: str
    project: str


@dataclass(frozen=True)
class SetQueueLimitAction(Action):
    pass


@dataclass(frozen=True)
class StartAgentAction(Action):
    """Start an agent that takes runs with these labels."""

    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class StartServerAction(Action):
    pass


@dataclass(frozen=True)
class ShowServerStatusAction(Action):
    pass


@dataclass(frozen=True)
class ShowViewsStatusAction(Action):
    pass


@dataclass(frozen=True)
class RunDoctorAction(Action):
    pass


AnyAction = (
    ListProjectsAction
    | ListFlowsAction
    | ListRunsAction
    | ListKeysAction
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


@dataclass(frozen=True)
class Hint:
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
