"""The paths of Prefect 0.13 to 1.4 that are other ones here: one table, from the old path to the new place or to the reason.

A path is that of a module (`core.flow`) or of a name in one (`core:Flow`), both below `headwater`. What has the same path in both is
not listed. `headwater.old_path_finder` reads the table, and `docs/generate.py` writes it down for people.
"""

from __future__ import annotations

from typing import NamedTuple


class Missing(NamedTuple):
    """What is not here; `reason` says why and what to do instead, in whole sentences."""

    reason: str


_SERVICE = Missing("Headwater has no tasks for services of third parties. Call the service's own Python library in a function with @task.")
_AGENTS = Missing(
    "Agents are the local one, as yet: `headwater agent local start`, or headwater.agents.local.LocalAgent. It runs in containers, too."
)
_BACKEND = Missing("It was a part of how Prefect's programs spoke to its server. Use headwater.Client, or the command line.")
_MARSHMALLOW = Missing("Flows are described by events, not by marshmallow schemas. flow.serialize() returns the description.")
_INTERNAL = Missing("It was a part of Prefect's engine that flows do not need. Here the engine is in headwater.engine.")
_CLOUD_CLIENT = Missing("It only made a client of a cloud. Make it with that cloud's own Python library.")
_RUNNER = Missing("It chose the class that runs flows. Give flow.run(runner_cls=...) another one.")
_PREFECT_2 = Missing(
    "It belongs to Prefect 2 or later, and Headwater follows the language of Prefect 0.13 to 1.4. A flow is written `with Flow(...)`."
)
_NOTIFIER = Missing("Headwater has no handlers for services of third parties. Write a function with callback_factory.")

_HANDLED = Missing("Result handlers became results before Prefect 1.0. Use a Result of headwater.engine.results.")
_LOADED = Missing("The process of a run loads its flow by itself.")
_ONE_TIME = Missing("Write Schedule(clocks=[DatesClock([start_date])]).")
_UNION = Missing("Write Schedule(clocks=[...]) with the clocks of all.")
_NEVER_RAISED = Missing("Nothing raises it here. All errors are those of headwater.core.errors.")

_HANDLERS = ("azure", "constant", "gcs", "json", "local", "s3", "secret")

_SERVICES = (
    "airbyte", "airtable", "asana", "aws", "azure", "azureml", "census", "cubejs", "databricks", "dbt", "docker", "dremio",
    "dropbox", "exasol", "firebolt", "fivetran", "gcp", "github", "google", "great_expectations", "gsheets", "hightouch", "jira",
    "jupyter", "kafka", "kubernetes", "mixpanel", "monday", "monte_carlo", "mysql", "neo4j", "notifications.pushbullet_task", "postgres",
    "powershell", "prometheus", "redis", "rss", "secrets.vault_secret", "sendgrid", "sftp", "snowflake", "sodaspark", "sodasql", "spacy",
    "sql_server", "toloka", "transform", "trello", "twitter", "zendesk",
)  # fmt: skip
"""The packages of Prefect's task library that are about the products of others."""

_PREFECT_2_NAMES = (
    "allow_failure", "blocks", "deployments", "filesystems", "flow", "flows", "get_client", "get_run_logger", "infrastructure", "logging",
    "orion", "runtime", "settings", "states", "task_runners",
)  # fmt: skip

_LOGGING_NAMES = (
    "CloudHandler", "LOG_MANAGER", "LogManager", "RedirectToLog", "create_diagnostic_logger", "getlogsize",
)  # fmt: skip

OLD_PATHS: dict[str, str | Missing] = {
    # Building flows.
    "core.edge": "graph.edge",
    "core.flow": "graph.flow",
    "core.parameter": "tasks.core.parameter",
    "core.task": "graph.task",
    "core.task:Parameter": "tasks.core.parameter:Parameter",
    "core:Edge": "graph.edge:Edge",
    "core:Flow": "graph.flow:Flow",
    "core:Parameter": "tasks.core.parameter:Parameter",
    "core:Task": "graph.task:Task",
    "tasks:Task": "graph.task:Task",
    "utilities.tasks:flatten": "utilities.edges:flatten",
    "utilities.tasks:mapped": "utilities.edges:mapped",
    "utilities.tasks:unmapped": "utilities.edges:unmapped",
    # Running them.
    "engine:FlowRunner": "engine.flow_runner:FlowRunner",
    "engine:TaskRunner": "engine.task_runner:TaskRunner",
    "engine:get_default_executor_class": Missing("It chose the class of executors. Write Flow(..., executor=LocalDaskExecutor())."),
    "engine:get_default_flow_runner_class": _RUNNER,
    "engine:get_default_task_runner_class": _RUNNER,
    "engine.flow_runner:FlowRunnerInitializeResult": _INTERNAL,
    "engine.flow_runner:run_task": _INTERNAL,
    "engine.runner:Runner": Missing(
        "Runs of flows and of tasks have no common class. Derive from headwater.engine.flow_runner.FlowRunner."
    ),
    "engine.task_runner:TaskRunnerInitializeResult": _INTERNAL,
    "engine.cloud": Missing("The runners that speak to a server are not for flows: an agent's process has its own."),
    "engine.executors": "executors",
    "engine.signals:PrefectStateSignal": "engine.signals:StateSignal",
    "executors:SynchronousExecutor": "executors.local:LocalExecutor",
    "utilities.executors": _INTERNAL,
    # Results.
    "engine.result": "engine.results",
    "engine.result.base": "engine.results",
    "engine.result:ResultInterface": _HANDLED,
    "engine.result:SafeResult": _HANDLED,
    **{f"engine.result_handlers.{kind}_result_handler": "engine.result_handlers" for kind in _HANDLERS},
    "engine.result_handlers.result_handler": "engine.result_handlers",
    "engine.results.result_handler_result": "engine.results",
    "engine.results:ResultHandlerResult": _HANDLED,
    # Errors.
    "exceptions:AuthorizationError": "core.errors:AuthenticationFailed",
    "exceptions:ClientError": "core.errors:HeadwaterError",
    "exceptions:FlowStorageError": "storage.errors:StorageError",
    "exceptions:ObjectNotFoundError": "core.errors:NotFound",
    "exceptions:PrefectException": "core.errors:HeadwaterError",
    "exceptions:PrefectSignal": "engine.signals:StateSignal",
    "exceptions:TaskTimeoutSignal": "engine.timeouts:TaskTimedOut",
    "exceptions:VersionLockMismatchSignal": "core.errors:VersionConflict",
    "utilities.exceptions:AuthorizationError": "core.errors:AuthenticationFailed",
    "utilities.exceptions:ClientError": "core.errors:HeadwaterError",
    "utilities.exceptions:ContextError": _NEVER_RAISED,
    "utilities.exceptions:PrefectWarning": _NEVER_RAISED,
    "utilities.exceptions:SerializationError": _NEVER_RAISED,
    "utilities.exceptions:TaskTimeoutError": "engine.timeouts:TaskTimedOut",
    "utilities.exceptions:FlowStorageError": "storage.errors:StorageError",
    "utilities.exceptions:ObjectNotFoundError": "core.errors:NotFound",
    "utilities.exceptions:PrefectError": "core.errors:HeadwaterError",
    "utilities.exceptions:PrefectException": "core.errors:HeadwaterError",
    "utilities.exceptions:PrefectSignal": "engine.signals:StateSignal",
    "utilities.exceptions:StorageError": "storage.errors:StorageError",
    "utilities.exceptions:TaskTimeoutSignal": "engine.timeouts:TaskTimedOut",
    "utilities.exceptions:VersionLockError": "core.errors:VersionConflict",
    "utilities.exceptions:VersionLockMismatchSignal": "core.errors:VersionConflict",
    # Tasks that come with it.
    "tasks.cloud": "tasks.headwater",
    "tasks.core.resource_manager:resource_cleanup_trigger": Missing("Resource managers clean up by themselves: see @resource_manager."),
    "tasks.headwater.flow_run_cancel:CancelFlowRunTask": "tasks.headwater.flow_run_cancel:CancelFlowRun",
    "tasks.headwater.flow_run_rename:RenameFlowRunTask": "tasks.headwater.flow_run_rename:RenameFlowRun",
    "tasks.headwater:CancelFlowRunTask": "tasks.headwater.flow_run_cancel:CancelFlowRun",
    "tasks.headwater:RenameFlowRunTask": "tasks.headwater.flow_run_rename:RenameFlowRun",
    "tasks.headwater.flow_run:FlowRunTask": "tasks.headwater.flow_run:StartFlowRun",
    "tasks.headwater:FlowRunTask": "tasks.headwater.flow_run:StartFlowRun",
    "tasks.prefect": "tasks.headwater",
    "tasks.notifications:PushbulletTask": _SERVICE,
    "tasks.secrets:Secret": "tasks.secrets.base:PrefectSecret",
    "tasks.secrets:VaultSecret": _SERVICE,
    **{f"tasks.{service}": _SERVICE for service in _SERVICES},
    "contrib": _SERVICE,
    # The server, its clients and agents.
    "agent.agent": _AGENTS,
    "agent.docker": _AGENTS,
    "agent.ecs": _AGENTS,
    "agent.fargate": _AGENTS,
    "agent.kubernetes": _AGENTS,
    "agent.local": "agents.local",
    "agent.local.agent": "agents.local",
    "agent.vertex": _AGENTS,
    "agent:Agent": _AGENTS,
    "artifacts:create_link": "backend.artifacts:create_link_artifact",
    "artifacts:create_link_artifact": "backend.artifacts:create_link_artifact",
    "artifacts:create_markdown": "backend.artifacts:create_markdown_artifact",
    "artifacts:create_markdown_artifact": "backend.artifacts:create_markdown_artifact",
    "artifacts:delete_artifact": "backend.artifacts:delete_artifact",
    "artifacts:update_link": "backend.artifacts:update_link_artifact",
    "artifacts:update_link_artifact": "backend.artifacts:update_link_artifact",
    "artifacts:update_markdown": "backend.artifacts:update_markdown_artifact",
    "artifacts:update_markdown_artifact": "backend.artifacts:update_markdown_artifact",
    "backend.execution": _INTERNAL,
    "backend.flow_run:check_for_compatible_agents": Missing("Use `headwater explain RUN`: it says why no agent takes a run."),
    "backend.flow_run:stream_flow_run_logs": Missing("Use headwater.backend.watch_flow_run: it gives the lines of a run as they come."),
    "backend.flow_run:watch_flow_run": "backend.watching:watch_flow_run",
    "backend:TenantView": "backend.tenant:TenantView",
    "client.client:FlowRunInfoResult": "client.run_info:FlowRunInfo",
    "client.client:ProjectInfo": Missing("Client.create_project returns the id of a project; GraphQL tells the rest of it."),
    "client.client:TaskRunInfoResult": "client.run_info:TaskRunInfo",
    "client.secrets": "utilities.secrets",
    "environments.execution": "environments",
    "environments.execution.dask": "environments.dask",
    "environments.execution.dask.cloud_provider": "environments.dask",
    "environments.execution.dask.k8s": "environments.dask",
    "environments.execution.dask.remote": "environments.dask",
    "environments.execution.fargate": "environments.fargate",
    "environments.execution.fargate.fargate_task": "environments.fargate",
    "environments.execution.k8s": "environments.kubernetes",
    "environments.execution.k8s.job": "environments.kubernetes",
    "environments.execution.base": "environments.base",
    "environments.execution.base:load_and_run_flow": _LOADED,
    "environments:load_and_run_flow": _LOADED,
    "environments.storage": "storage",
    "hello_world": "examples.hello_world",
    "serialization": _MARSHMALLOW,
    "schedules.schedules:OneTimeSchedule": _ONE_TIME,
    "schedules.schedules:UnionSchedule": _UNION,
    "schedules:OneTimeSchedule": _ONE_TIME,
    "schedules:UnionSchedule": _UNION,
    "storage:get_default_storage_class": Missing("It chose the class of storages. Write Flow(..., storage=Local())."),
    # Utilities.
    "configuration": "utilities.configuration",
    "plugins": Missing("There are no plugins."),
    "utilities.agent": _BACKEND,
    "utilities.aws": _CLOUD_CLIENT,
    "utilities.backend": _BACKEND,
    "utilities.cli": _BACKEND,
    "utilities.compatibility": Missing("It was about versions of Python that are gone."),
    "utilities.docker_util": Missing("It was a part of Prefect's agents for containers."),
    "utilities.gcp": _CLOUD_CLIENT,
    "utilities.git": Missing("It cloned repositories for storages. Call git by a ShellTask, or use a library for Git."),
    "utilities.kubernetes": _CLOUD_CLIENT,
    **{f"utilities.logging:{name}": _BACKEND for name in _LOGGING_NAMES},
    "utilities.notifications.jira_notification": _NOTIFIER,
    "utilities.notifications.notifications": "utilities.notifications",
    "utilities.notifications:jira_notifier": _NOTIFIER,
    "utilities.notifications:email_message_formatter": Missing("Use mail_message(tracked_obj, state, to=...) in the same module."),
    "utilities.notifications:snowflake_logger": _NOTIFIER,
    "utilities.notifications:snowflake_message_formatter": _NOTIFIER,
    "utilities.plugins": Missing("There are no plugins."),
    "utilities.datetimes": Missing("It made pauses that grow, which no setting took. Give retry_delay a timedelta or seconds."),
    "utilities.serialization": _MARSHMALLOW,
    "utilities.storage:extract_flow_from_file": "storage.extraction:extract_flow_from_file",
    "utilities.storage:extract_flow_from_module": "storage.extraction:extract_flow_from_module",
    "utilities.storage:flow_from_bytes_pickle": "storage.extraction:flow_from_bytes",
    "utilities.storage:flow_to_bytes_pickle": "storage.pickled:pickled",
    "utilities.storage:get_flow_image": _BACKEND,
    # What came after Prefect 1.
    **{f":{name}": _PREFECT_2 for name in _PREFECT_2_NAMES},
}

PUBLIC_ROOMS = (
    "backend", "client", "engine", "environments", "executors", "graph", "run_configs", "schedules", "storage", "tasks", "triggers",
    "utilities",
)  # fmt: skip
"""The public paths of the SDK, directly below `headwater`: their files say what is there, and import it from its home."""

ROOMS = (*PUBLIC_ROOMS, "core")
"""Where flows import from, directly below `headwater`."""
_PLACES = (place for place in OLD_PATHS.values() if isinstance(place, str))
LANGUAGE = frozenset({*ROOMS, *(path.replace(":", ".").strip(".").partition(".")[0] for path in (*OLD_PATHS, *_PLACES))})
"""What the finder looks at directly below `headwater`: these folders, and what the table tells something of."""

MOVED_HOMES = {"sdk.schedules": "core.calendar"}
"""Rooms of the code that are another one now: pickles of versions before the move name what was in them."""
