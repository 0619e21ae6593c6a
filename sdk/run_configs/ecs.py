"""Runs as tasks of Amazon ECS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headwater.sdk.run_configs.arguments import Variables, at_most_one, mapping, quantity, text
from headwater.sdk.run_configs.base import RunConfig
from headwater.sdk.run_configs.documents import document_at


class ECSRun(RunConfig):
    """Runs as tasks of Amazon ECS. There is no agent for them yet: such a flow runs by `flow.run()`, and is not registered.

    Args:
        task_definition: the task's definition as a dict.
        task_definition_path: a file of YAML with it, which is read here, or an address elsewhere (`s3://...`).
        task_definition_arn: the name of a definition that AWS has already.
        image: the image's name; not with `task_definition_arn`, whose definition names one.
        env: environment variables of the container.
        cpu, memory: processors and memory in the units of ECS, such as 512 or '2 vcpu'.
        task_role_arn, execution_role_arn: roles under which the task runs and is started.
        run_task_kwargs: further arguments of `run_task`.
        labels: labels that an agent must have.

    Raises:
        InvalidRunConfig: an argument has the wrong form or contradicts another, or a definition cannot be read.

    """

    needs_agent_of = "Amazon ECS"

    def __init__(
        self,
        *,
        task_definition: Mapping[str, Any] | None = None,
        task_definition_path: str | None = None,
        task_definition_arn: str | None = None,
        image: str | None = None,
        env: Variables | None = None,
        cpu: float | str | None = None,
        memory: float | str | None = None,
        task_role_arn: str | None = None,
        execution_role_arn: str | None = None,
        run_task_kwargs: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        super().__init__(env=env, labels=labels)
        at_most_one(task_definition=task_definition, task_definition_path=task_definition_path, task_definition_arn=task_definition_arn)
        at_most_one(task_definition_arn=task_definition_arn, image=image)
        self.task_definition_path, read = document_at("task_definition_path", task_definition_path)
        self.task_definition = read if read is not None else mapping("task_definition", task_definition)
        self.task_definition_arn = text("task_definition_arn", task_definition_arn)
        self.image = text("image", image)
        self.cpu = quantity("cpu", cpu)
        self.memory = quantity("memory", memory)
        self.task_role_arn = text("task_role_arn", task_role_arn)
        self.execution_role_arn = text("execution_role_arn", execution_role_arn)
        self.run_task_kwargs = mapping("run_task_kwargs", run_task_kwargs)
