"""Runs as jobs of Kubernetes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from headwater.sdk.environments.base import Environment, EnvironmentOptions, given_executor
from headwater.sdk.environments.errors import InvalidEnvironment
from headwater.sdk.executors import Executor
from headwater.sdk.run_configs import KubernetesRun, RunConfig
from headwater.sdk.run_configs.documents import document_at


class KubernetesJobEnvironment(Environment):
    """Runs as jobs of Kubernetes: `KubernetesRun(job_template_path=job_spec_file)` and `flow.executor = executor`.

    There is no agent for Kubernetes yet: registering such a flow says what works instead.

    Args:
        job_spec_file: a file of YAML with the job's template, which is read here.
        unique_job_name: kept, and not used: the name of a job is its agent's choice.
        executor: where the tasks run.
        executor_kwargs: refused: `executor` says all.
        options: those of every environment: `labels`, `on_start`, `on_exit`, `metadata`.

    Raises:
        InvalidEnvironment, InvalidRunConfig: `executor` is not an executor, or the file cannot be read.

    """

    def __init__(
        self,
        job_spec_file: str | None = None,
        unique_job_name: bool = False,
        executor: Executor | None = None,
        executor_kwargs: Mapping[str, Any] | None = None,
        **options: Unpack[EnvironmentOptions],
    ) -> None:
        super().__init__(**options)
        no_executor_kwargs("KubernetesJobEnvironment", executor_kwargs)
        self.job_spec_file = job_spec_file
        self.unique_job_name = unique_job_name
        self.executor = given_executor("KubernetesJobEnvironment", executor)
        self._address, self._job = document_at("job_spec_file", job_spec_file)

    def run_config(self) -> RunConfig:
        return self.labelled(KubernetesRun(job_template_path=self._address, job_template=self._job))


def no_executor_kwargs(environment: str, given: Any) -> None:
    """Refuse arguments for an executor whose class the environment does not name.

    Raises:
        InvalidEnvironment: some were given.

    """
    if given:
        raise InvalidEnvironment(
            f"{environment}: executor_kwargs={given!r} are arguments of no executor.", hint="Write executor=DaskExecutor(...)."
        )
