"""What actions are called in a terminal: the commands, as a shell takes them. Python names them so, too, where it has no call."""

from __future__ import annotations

from headwater.command_lines import command_line, start_agent_command
from headwater.core import hints
from headwater.core.hints import AnyAction


def command_of(action: AnyAction) -> str:
    """Return the command for this action, in backticks."""
    return f"`{_command(action)}`"


def _command(action: AnyAction) -> str:  # noqa: C901, PLR0912 - one arm per action
    match action:
        case hints.ListProjectsAction():
            return command_line("get projects")
        case hints.ListFlowsAction(project=project, all_versions=all_versions):
            options = [("--project", project)] if project else []
            return command_line("get flows", options=[*options, *([("--all-versions", "")] if all_versions else [])])
        case hints.ListRunsAction():
            return command_line("get flow-runs")
        case hints.ListKeysAction():
            return command_line("kv list")
        case hints.ListSchedulesAction():
            return command_line("schedules list")
        case hints.ListDeadLettersAction():
            return command_line("projections dead-letters list")
        case hints.CreateProjectAction(name=name):
            return command_line("create project", name, in_quotes=True)
        case hints.CreateRunOfAction(flow_group_id=group_id):
            return command_line("run", options=[("--id", group_id)])
        case hints.ExplainRunAction(run_id=run_id):
            return command_line("explain", run_id)
        case hints.ShowRunLogsAction(run_id=run_id):
            return command_line("get logs", run_id)
        case hints.RestartRunAction(run_id=run_id):
            return command_line("restart", run_id)
        case hints.ResumeRunAction(run_id=run_id):
            return command_line("resume", run_id)
        case hints.CancelRunAction(run_id=run_id):
            return command_line("cancel", run_id)
        case hints.SetConcurrencyAction(flow=flow, project=project):
            return command_line("set concurrency", flow, "N", options=[("--project", project)])
        case hints.SetQueueLimitAction():
            return command_line("set queue-limit")
        case hints.StartAgentAction(labels=labels):
            return start_agent_command(labels)
        case hints.StartServerAction():
            return command_line("server start")
        case hints.ShowServerStatusAction():
            return command_line("server status")
        case hints.ShowViewsStatusAction():
            return command_line("projections status")
        case hints.RunDoctorAction():
            return command_line("doctor")


def call_of(action: AnyAction) -> str:
    """Return the call of Python for this action; its command, where Python has none.

    A project is created once, manually: scripts that register a flow in one that is missing are started in terminals.
    """
    match action:
        case hints.CreateRunOfAction(flow_group_id=group_id):
            return f"`Client().create_flow_run(version_group_id={group_id!r})`"
        case hints.ResumeRunAction(run_id=run_id):
            return f"`Client().resume_flow_run({run_id!r})`"
        case hints.CancelRunAction(run_id=run_id):
            return f"`Client().cancel_flow_run({run_id!r})`"
        case hints.ShowRunLogsAction(run_id=run_id):
            return f"`Client().get_logs({run_id!r})`"
        case _:
            return command_of(action)
