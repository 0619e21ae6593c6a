"""Runs as tasks of Amazon ECS on Fargate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from headwater.sdk.environments.base import Environment, given_executor
from headwater.sdk.environments.errors import InvalidEnvironment
from headwater.sdk.environments.kubernetes import no_executor_kwargs
from headwater.sdk.executors import Executor
from headwater.sdk.run_configs import ECSRun, RunConfig

OF_THE_DEFINITION = frozenset({
    "family", "taskRoleArn", "executionRoleArn", "networkMode", "containerDefinitions", "volumes", "placementConstraints",
    "requiresCompatibilities", "cpu", "memory", "tags", "pidMode", "ipcMode", "proxyConfiguration", "inferenceAccelerators",
})  # fmt: skip
"""Arguments of `register_task_definition`."""
OF_A_RUN = frozenset({
    "cluster", "count", "startedBy", "group", "placementConstraints", "placementStrategy", "platformVersion", "networkConfiguration",
    "tags", "enableECSManagedTags", "propagateTags", "overrides",
})  # fmt: skip
"""Arguments of `run_task`. Those that are of both are given to both."""


class FargateTaskEnvironment(Environment):
    """Runs as tasks of Amazon ECS: `ECSRun(task_definition=..., run_task_kwargs=...)` and `flow.executor = executor`.

    There is no agent for ECS yet: registering such a flow says what works instead.

    Args:
        launch_type: 'FARGATE' or 'EC2'.
        aws_access_key_id, aws_secret_access_key, aws_session_token: refused: keys belong where the agent runs, not into a flow.
        region_name: kept, and not used: the agent's region counts.
        executor: where the tasks run.
        executor_kwargs: refused: `executor` says all.
        labels, on_start, on_exit, metadata: as of every environment.
        kwargs: those of `register_task_definition` and `run_task`.

    Raises:
        InvalidEnvironment: a key is given, an argument is unknown, or `executor` is not an executor.

    """

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        launch_type: str = "FARGATE",
        aws_access_key_id: str | None = None,
        aws_secret_access_key: str | None = None,
        aws_session_token: str | None = None,
        region_name: str | None = None,
        executor: Executor | None = None,
        executor_kwargs: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
        on_start: Callable[[], object] | None = None,
        on_exit: Callable[[], object] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(labels=labels, on_start=on_start, on_exit=on_exit, metadata=metadata)
        keys = {
            "aws_access_key_id": aws_access_key_id,
            "aws_secret_access_key": aws_secret_access_key,
            "aws_session_token": aws_session_token,
        }
        given = [name for name, value in keys.items() if value is not None]
        if given:
            raise InvalidEnvironment(
                f"FargateTaskEnvironment: {given[0]} would be stored with the flow.",
                hint="Leave it out: keys belong into the environment of the agent (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
                "AWS_SESSION_TOKEN) or its ~/.aws, or it has a role.",
            )
        no_executor_kwargs("FargateTaskEnvironment", executor_kwargs)
        unknown = sorted(kwargs.keys() - OF_THE_DEFINITION - OF_A_RUN)
        if unknown:
            raise InvalidEnvironment(
                f"FargateTaskEnvironment: {unknown[0]} is an argument of neither register_task_definition nor run_task.",
                hint="They are written as boto3 has them, such as containerDefinitions or networkConfiguration.",
            )
        self.launch_type = launch_type
        self.region_name = region_name
        self.executor = given_executor("FargateTaskEnvironment", executor)
        self.task_definition_kwargs = {name: value for name, value in kwargs.items() if name in OF_THE_DEFINITION}
        self.task_run_kwargs = {name: value for name, value in kwargs.items() if name in OF_A_RUN}

    def run_config(self) -> RunConfig:
        return self.labelled(
            ECSRun(
                task_definition=self.task_definition_kwargs or None,
                run_task_kwargs={"launchType": self.launch_type, **self.task_run_kwargs},
            )
        )

    def notes(self) -> list[str]:
        return [] if self.region_name is None else [f"region_name={self.region_name!r} is not used: the agent's region counts."]
