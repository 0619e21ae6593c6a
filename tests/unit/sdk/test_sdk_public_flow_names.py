"""Names that flows for Prefect 0.13 to 1.4 import: each is here, or the import says why not.

About 140 of the names are those that 1,059 files of ten public repositories import, where Headwater has them or tells why not (flows
for Prefect 2 are among these files). The others are names of Prefect's own modules.
"""

from __future__ import annotations

import importlib

import pytest

from headwater.core.errors import NotFound
from headwater.sdk.backend.tenant import TenantView

HERE = {
    "headwater.artifacts": "create_link create_markdown update_markdown",
    "headwater.backend.artifacts": "create_link_artifact create_markdown_artifact",
    "headwater.backend.kv_store": "delete_key get_key_value list_keys set_key_value",
    "headwater.tasks.database": "SQLiteQuery SQLiteScript",
    "headwater.tasks.files": "Copy Glob Move Remove Unzip Zip",
    "headwater.tasks.notifications": "EmailTask SlackTask",
    "headwater.tasks.notifications.email_task": "EmailTask",
    "headwater.tasks.notifications.slack_task": "SlackTask",
    "headwater.tasks.shell": "ShellTask",
    "headwater.tasks.templates": "JinjaTemplate StringFormatter",
    "headwater.utilities.collections": "DotDict as_nested_dict flatten_seq merge_dicts",
    "headwater.utilities.filesystems": "parse_path read_bytes_from_path",
    "headwater.utilities.importtools": "import_object",
    "headwater": "Client Flow Parameter Task __version__ apply_map case config context flatten mapped resource_manager tags task unmapped "
    "backend client core engine environments executors run_configs schedules storage tasks triggers utilities",
    "headwater.agent.local": "LocalAgent",
    "headwater.backend": "delete_key get_key_value list_keys set_key_value create_link_artifact create_markdown_artifact "
    "FlowRunView FlowView TaskRunView TenantView",
    "headwater.backend.flow_run": "FlowRunView watch_flow_run",
    "headwater.backend.tenant": "TenantView",
    "headwater.client": "Client Secret",
    "headwater.client.client": "Client",
    "headwater.client.secrets": "Secret",
    "headwater.core": "Edge Flow Parameter Task",
    "headwater.core.edge": "Edge",
    "headwater.core.flow": "Flow",
    "headwater.core.parameter": "DateTimeParameter Parameter",
    "headwater.core.task": "Task",
    "headwater.engine": "FlowRunner TaskRunner cache_validators results serializers signals state",
    "headwater.engine.cache_validators": "all_inputs all_parameters duration_only never_use",
    "headwater.engine.executors": "DaskExecutor LocalDaskExecutor LocalExecutor SynchronousExecutor",
    "headwater.engine.executors.dask": "DaskExecutor LocalDaskExecutor",
    "headwater.engine.flow_runner": "FlowRunner",
    "headwater.engine.result": "NoResult Result",
    "headwater.engine.result.base": "Result",
    "headwater.engine.result_handlers": "GCSResultHandler JSONResultHandler LocalResultHandler ResultHandler S3ResultHandler",
    "headwater.engine.results": "AzureResult ConstantResult GCSResult LocalResult PrefectResult S3Result SecretResult",
    "headwater.engine.results.local_result": "LocalResult",
    "headwater.engine.results.prefect_result": "PrefectResult",
    "headwater.engine.results.s3_result": "S3Result",
    "headwater.engine.runner": "ENDRUN",
    "headwater.engine.serializers": "JSONSerializer PandasSerializer PickleSerializer",
    "headwater.engine.signals": "ENDRUN FAIL LOOP PAUSE PrefectStateSignal RETRY SKIP SUCCESS TRIGGERFAIL VALIDATIONFAIL signal_from_state",
    "headwater.engine.state": "Cached Cancelled Failed Finished Mapped Pending Retrying Running Skipped State Success TriggerFailed",
    "headwater.environments": "DaskKubernetesEnvironment Environment FargateTaskEnvironment KubernetesJobEnvironment LocalEnvironment "
    "RemoteEnvironment storage",
    "headwater.environments.execution": "Environment RemoteDaskEnvironment",
    "headwater.environments.execution.base": "Environment",
    "headwater.environments.execution.dask.k8s": "DaskKubernetesEnvironment",
    "headwater.environments.execution.k8s.job": "KubernetesJobEnvironment",
    "headwater.environments.execution.local": "LocalEnvironment",
    "headwater.environments.storage": "Azure Docker GCS GitHub Local S3 Storage Webhook",
    "headwater.environments.storage.docker": "Docker",
    "headwater.exceptions": "AuthorizationError ClientError FlowStorageError ObjectNotFoundError PrefectException PrefectSignal "
    "TaskTimeoutSignal VersionLockMismatchSignal",
    "headwater.executors": "DaskExecutor Executor LocalDaskExecutor LocalExecutor",
    "headwater.executors.dask": "DaskExecutor LocalDaskExecutor",
    "headwater.hello_world": "hello_flow",
    "headwater.run_configs": "DockerRun ECSRun KubernetesRun LocalRun RunConfig UniversalRun VertexRun",
    "headwater.run_configs.docker": "DockerRun",
    "headwater.run_configs.ecs": "ECSRun",
    "headwater.run_configs.kubernetes": "KubernetesRun",
    "headwater.run_configs.local": "LocalRun",
    "headwater.run_configs.vertex": "VertexRun",
    "headwater.schedules": "CronSchedule IntervalSchedule Schedule adjustments clocks filters",
    "headwater.schedules.clocks": "CronClock DatesClock IntervalClock",
    "headwater.schedules.schedules": "IntervalSchedule Schedule",
    "headwater.storage": "Azure Bitbucket CodeCommit Docker GCS Git GitHub GitLab Local Module S3 Storage Webhook github",
    "headwater.storage.local": "Local",
    "headwater.storage.s3": "S3",
    "headwater.tasks": "Task",
    "headwater.tasks.cloud": "FlowRunTask",
    "headwater.tasks.cloud.flow_run": "FlowRunTask",
    "headwater.tasks.control_flow": "FilterTask case ifelse merge switch",
    "headwater.tasks.control_flow.case": "case",
    "headwater.tasks.control_flow.conditional": "Merge ifelse merge switch",
    "headwater.tasks.control_flow.filter": "FilterTask",
    "headwater.tasks.core.constants": "Constant",
    "headwater.tasks.core.function": "FunctionTask",
    "headwater.tasks.core.operators": "GetItem",
    "headwater.tasks.core.resource_manager": "ResourceManager resource_manager",
    "headwater.tasks.headwater": "RenameFlowRun StartFlowRun create_flow_run get_task_run_result wait_for_flow_run",
    "headwater.tasks.prefect": "FlowRunTask RenameFlowRun StartFlowRun create_flow_run get_task_run_result wait_for_flow_run",
    "headwater.tasks.prefect.flow_run": "StartFlowRun create_flow_run wait_for_flow_run",
    "headwater.tasks.secrets": "EnvVarSecret PrefectSecret Secret SecretBase",
    "headwater.tasks.secrets.base": "SecretBase",
    "headwater.tasks.secrets.env_var": "EnvVarSecret",
    "headwater.triggers": "all_failed all_finished all_successful always_run any_failed any_successful manual_only not_all_skipped "
    "some_failed some_successful",
    "headwater.utilities": "configuration logging notifications",
    "headwater.utilities.configuration": "set_temporary_config",
    "headwater.utilities.context": "context",
    "headwater.utilities.debug": "is_serializable raise_on_exception",
    "headwater.utilities.edges": "flatten mapped unmapped",
    "headwater.utilities.exceptions": "AuthorizationError ClientError PrefectError StorageError VersionLockError",
    "headwater.utilities.graphql": "EnumValue GraphQLResult compress decompress parse_graphql with_args",
    "headwater.utilities.logging": "get_logger",
    "headwater.utilities.notifications": "callback_factory gmail_notifier slack_message_formatter slack_notifier",
    "headwater.utilities.notifications.notifications": "slack_notifier",
    "headwater.utilities.storage": "extract_flow_from_file extract_flow_from_module flow_from_bytes_pickle flow_to_bytes_pickle",
    "headwater.utilities.tasks": "apply_map as_task defaults_from_attrs pause_task tags task unmapped",
}
SERVICE = "Headwater has no tasks for services of third parties"
LATER = "It belongs to Prefect 2 or later"
NOT_HERE = {
    "headwater:allow_failure": LATER,
    "headwater:flow": LATER,
    "headwater:get_run_logger": LATER,
    "headwater.agent:Agent": "Agents are the local one",
    "headwater.agent.docker:DockerAgent": "Agents are the local one",
    "headwater.agent.kubernetes.agent:KubernetesAgent": "Agents are the local one",
    "headwater.engine.cloud:CloudFlowRunner": "The runners that speak to a server are not for flows",
    "headwater.flows:FlowRun": LATER,
    "headwater.infrastructure.docker:DockerContainer": LATER,
    "headwater.logging:get_run_logger": LATER,
    "headwater.runtime:flow_run": LATER,
    "headwater.serialization.storage:StorageSchema": "Flows are described by events",
    "headwater.states:State": LATER,
    "headwater.tasks.airbyte.airbyte:AirbyteConnectionTask": SERVICE,
    "headwater.tasks.aws.lambda_function:LambdaInvoke": SERVICE,
    "headwater.tasks.aws.s3:S3Download": SERVICE,
    "headwater.tasks.databricks:DatabricksSubmitRun": SERVICE,
    "headwater.tasks.dbt:DbtShellTask": SERVICE,
    "headwater.tasks.docker:PullImage": SERVICE,
    "headwater.tasks.gcp:BigQueryTask": SERVICE,
    "headwater.tasks.github:GetRepoInfo": SERVICE,
    "headwater.tasks.great_expectations:RunGreatExpectationsValidation": SERVICE,
    "headwater.tasks.kubernetes:RunNamespacedJob": SERVICE,
    "headwater.tasks.mysql:MySQLFetch": SERVICE,
    "headwater.tasks.postgres:PostgresExecute": SERVICE,
    "headwater.tasks.redis:RedisSet": SERVICE,
    "headwater.tasks.snowflake:SnowflakeQuery": SERVICE,
    "headwater.utilities.agent:get_flow_image": "It was a part of how Prefect's programs spoke to its server",
    "headwater.utilities.aws:get_boto_client": "It only made a client of a cloud",
    "headwater.utilities.serialization:JSONCompatible": "Flows are described by events",
}


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in HERE.items() for name in names.split()])
def test_what_public_flows_import_is_here(module: str, name: str) -> None:
    exec(f"from {module} import {name}", {})


@pytest.mark.parametrize("module", [module for module in HERE if module.count(".") > 1])
def test_a_module_that_is_imported_by_its_whole_path_is_reached_by_it(module: str) -> None:
    reached = importlib.import_module("headwater")
    exec(f"import {module}", {})
    for part in module.split(".")[1:]:
        reached = getattr(reached, part)

    assert reached is not None


@pytest.mark.parametrize("path", NOT_HERE)
def test_what_is_not_here_says_why(path: str) -> None:
    module, _, name = path.partition(":")

    with pytest.raises(ImportError, match=rf"is not included\. {NOT_HERE[path]}"):
        exec(f"from {module} import {name}", {})


def test_there_is_one_tenant_and_no_other() -> None:
    current = TenantView.from_current_tenant()

    assert (current.name, current.slug) == ("default", "default")
    assert TenantView.from_tenant_id(current.tenant_id) == current
    with pytest.raises(NotFound, match="'another' not found"):
        TenantView.from_tenant_id("another")
