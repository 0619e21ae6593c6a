"""The paths that people import and that stored things name, beside the homes of the code.

The code is in `headwater.sdk`, and that of schedules in `headwater.core.calendar`, in rooms that may change. Flows import
`headwater.engine.state`, pickles of earlier versions name it, and the log holds names such as `headwater.tasks.shell.ShellTask`: these
paths stay. `src/headwater/` has a file for each, which imports what is there.
"""

from __future__ import annotations

_HOME = "headwater.sdk."

PUBLIC_PATHS = {
    "client.graphql": "utilities.graphql",
    "client.registration": "client.registration",
    "client.script_registration": "client.registration",
    "client.printing": "utilities.printing",
    "context.collections": "utilities.collections",
    "context.configuration": "utilities.configuration",
    "context.context": "utilities.context",
    "context.files": "utilities.files",
    "context.importtools": "utilities.importtools",
    "context.interpolation": "utilities.interpolation",
    "context.interrupts": "engine.interrupts",
    "context.log_records": "utilities.log_records",
    "context.logging": "utilities.logging",
    "context.pickling": "utilities.pickling",
    "context.secrets": "utilities.secrets",
    "engine.debug": "utilities.debug",
    "executors.artifacts": "engine.artifacts",
    "executors.task_call": "engine.task_call",
    "executors.timeouts": "engine.timeouts",
    "context.values": "utilities.context",
    "language.active_flow": "graph.task",
    "language.annotations": "utilities.edges",
    "language.being_loaded": "graph.being_loaded",
    "language.block": "graph.block",
    "language.cache_validators": "engine.cache_validators",
    "language.case": "tasks.control_flow.case",
    "language.collections": "tasks.core.collections",
    "language.conditional": "tasks.control_flow.conditional",
    "language.constants": "tasks.core.constants",
    "language.containers": "graph.containers",
    "language.decorators": "utilities.tasks",
    "language.diagnostics": "utilities.diagnostics",
    "language.drawing": "graph.drawing",
    "language.edge": "graph.edge",
    "language.errors": "graph.errors",
    "language.filter": "tasks.control_flow.filter",
    "language.fingerprint": "graph.fingerprint",
    "language.flow": "graph.flow",
    "language.flow_graph": "graph.flow",
    "language.flow_settings": "graph.flow_settings",
    "language.function": "tasks.core.function",
    "language.input_hashes": "engine.input_hashes",
    "language.inputs": "utilities.tasks",
    "language.mapped_pipeline": "graph.mapped_part",
    "language.named_logger": "graph.named_logger",
    "language.no_default": "tasks.core.no_default",
    "language.operator_tasks": "tasks.core.operators",
    "language.operators": "graph.operators",
    "language.parameter": "tasks.core.parameter",
    "language.resource_manager": "tasks.core.resource_manager",
    "language.run_signature": "graph.run_signature",
    "language.serialization": "graph.serialization",
    "language.set_view": "graph.set_view",
    "language.setting_changes": "graph.task_settings",
    "language.sorting": "graph.sorting",
    "language.structure": "graph.structure",
    "language.task": "graph.task",
    "language.task_settings": "graph.task_settings",
    "language.tracebacks": "utilities.tracebacks",
    "language.triggers": "triggers",
    "language.unused_tasks": "graph.unused_tasks",
    "language.user_code": "graph.own_code",
    "language.users_line": "graph.users_line",
    "language.validation": "graph.validation",
    "results": "engine.results",
    "results.azure_result": "engine.results.azure_result",
    "results.checkpoint_result": "engine.results.checkpoint_result",
    "results.checkpoints": "engine.checkpoints",
    "results.constant_result": "engine.results.constant_result",
    "results.gcs_result": "engine.results.gcs_result",
    "results.local_result": "engine.results.local_result",
    "results.prefect_result": "engine.results.prefect_result",
    "results.remote_result": "engine.results.remote_result",
    "results.result": "engine.results.result",
    "results.result_handlers": "engine.result_handlers",
    "results.s3_result": "engine.results.s3_result",
    "results.secret_result": "engine.results.secret_result",
    "results.serializers": "engine.serializers",
    "results.templates": "engine.templates",
    "states.base_state": "engine.base_state",
    "states.serialization": "engine.state_serialization",
    "states.signals": "engine.signals",
    "states.state": "engine.state",
    "storage.filesystems": "utilities.filesystems",
    "task_library.database": "tasks.database",
    "task_library.database.sqlite": "tasks.database.sqlite",
    "task_library.files": "tasks.files",
    "task_library.files.compression": "tasks.files.compression",
    "task_library.files.operations": "tasks.files.operations",
    "task_library.files.paths": "tasks.files.paths",
    "task_library.flow_runs": "tasks.headwater",
    "task_library.flow_runs.flow_run": "tasks.headwater.flow_run",
    "task_library.flow_runs.flow_run_cancel": "tasks.headwater.flow_run_cancel",
    "task_library.flow_runs.flow_run_rename": "tasks.headwater.flow_run_rename",
    "task_library.notifications": "tasks.notifications",
    "task_library.notifications.email_task": "tasks.notifications.email_task",
    "task_library.notifications.notifiers": "utilities.notifications",
    "task_library.notifications.slack_task": "tasks.notifications.slack_task",
    "task_library.notifications.webhooks": "utilities.webhooks",
    "task_library.secrets": "tasks.secrets",
    "task_library.secrets.base": "tasks.secrets.base",
    "task_library.secrets.env_var": "tasks.secrets.env_var",
    "task_library.shell": "tasks.shell",
    "task_library.templates": "tasks.templates",
    "task_library.templates.jinja2": "tasks.templates.jinja2",
    "task_library.templates.strings": "tasks.templates.strings",
}
"""From the home below `headwater.sdk` to the public path below `headwater`, where the two differ, or one path has several homes."""


def public_path(module: str) -> str:
    """Return the path under which people, pickles and the log know a module; its own name where there is none."""
    if module in _OF_THE_CALENDAR:
        return module.replace(_CALENDAR, _SCHEDULES, 1)
    if not module.startswith(_HOME):
        return module
    below = module.removeprefix(_HOME)
    if below in PUBLIC_PATHS:
        return f"headwater.{PUBLIC_PATHS[below]}"
    return f"headwater.{below}" if below.partition(".")[0] in _SAME_ROOMS else module


def homes_of(path: str) -> list[str]:
    """Return the modules in which the code of a public path is; none where the path is not one."""
    home = path.replace(_SCHEDULES, _CALENDAR, 1)
    if home in _OF_THE_CALENDAR:
        return [home]
    below = path.removeprefix("headwater.")
    homes = [home for home, public in PUBLIC_PATHS.items() if public == below]
    if not homes and below.partition(".")[0] in _SAME_ROOMS:
        homes = [below]
    return [f"{_HOME}{home}" for home in homes]


# What is in these rooms has the same name at its public path, where the table says nothing else.
_SAME_ROOMS = frozenset({"backend", "client", "engine", "environments", "executors", "run_configs", "storage"})

_CALENDAR, _SCHEDULES = "headwater.core.calendar", "headwater.schedules"
_OF_THE_CALENDAR = frozenset(
    {
        _CALENDAR,
        *(
            f"{_CALENDAR}.{name}"
            for name in ("adjustments", "clock", "clock_event", "clocks", "filters", "occurrence", "recurrence", "schedules", "wall_clock")
        ),
    }
)
"""The homes of what flows know as `headwater.schedules`: the server reads schedules too, and imports nothing of the SDK."""
