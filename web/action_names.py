"""What actions are called on the pages: what to press, and where; a command where no page does it."""

from __future__ import annotations

from headwater.action_names import command_of
from headwater.core import hints
from headwater.core.hints import AnyAction, Hint


def worded(advice: Hint | str | None) -> str | None:
    """Return a hint as a page shows it."""
    return advice.worded(_name) if isinstance(advice, Hint) else advice


def _name(action: AnyAction) -> str:  # noqa: PLR0912 - one arm per action
    match action:
        case hints.ListProjectsAction():
            return "the page Projects"
        case hints.ListFlowsAction(all_versions=False):
            return "the page Flows"
        case hints.ListRunsAction():
            return "the page Runs"
        case hints.CreateProjectAction():
            return "“Add project” on the page Projects"
        case hints.CreateRunOfAction():
            return "“Quick run” on the page of the flow"
        case hints.ExplainRunAction():
            return "the page of the run"
        case hints.ShowRunLogsAction():
            return "the tab Logs of the run"
        case hints.RestartRunAction():
            return "“Restart” on the page of the run"
        case hints.ResumeRunAction():
            return "“Resume” on the page of the run"
        case hints.CancelRunAction():
            return "“Cancel” on the page of the run"
        case hints.SetConcurrencyAction():
            return "the tab Settings of the flow"
        case hints.ShowServerStatusAction() | hints.ShowViewsStatusAction():
            return "the page Server"
        case _:
            return command_of(action)
