"""Runs whose tasks are executed on Dask clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Unpack

from headwater.sdk.context.context import context
from headwater.sdk.environments.base import Environment, EnvironmentOptions
from headwater.sdk.environments.errors import InvalidEnvironment
from headwater.sdk.executors import DaskExecutor
from headwater.sdk.run_configs import KubernetesRun, RunConfig
from headwater.sdk.run_configs.documents import document_at


class RemoteDaskEnvironment(Environment):
    """Runs where the agent runs, with tasks on a Dask cluster that is there already: `DaskExecutor(address=...)`.

    Args:
        address: the scheduler's address.
        security: a `distributed.security.Security`, for a cluster that speaks TLS.
        executor_kwargs: further arguments of `DaskExecutor`.
        options: those of every environment: `labels`, `on_start`, `on_exit`, `metadata`.

    Raises:
        InvalidEnvironment: there is no address, or `DaskExecutor` does not take the arguments.

    """

    def __init__(
        self, address: str, security: Any = None, executor_kwargs: Mapping[str, Any] | None = None, **options: Unpack[EnvironmentOptions]
    ) -> None:
        super().__init__(**options)
        if not isinstance(address, str) or not address:
            raise InvalidEnvironment(f"RemoteDaskEnvironment needs the address of a scheduler, not {address!r}.")
        self.address = address
        self.executor = _dask("RemoteDaskEnvironment", security, {**(executor_kwargs or {}), "address": address})


class DaskCloudProviderEnvironment(Environment):
    """Runs where the agent runs, with tasks on a Dask cluster that is made for each run: `DaskExecutor(cluster_class=provider_class)`.

    Args:
        provider_class: the class of clusters, of `dask_cloudprovider` for example.
        adaptive_min_workers, adaptive_max_workers: between how many workers the cluster grows and shrinks.
        security: a `distributed.security.Security`, for cluster and client.
        executor_kwargs: further arguments of `DaskExecutor`.
        on_execute: called before the cluster is made, with the run's parameters and the cluster's arguments, which it may change.
        labels, on_start, on_exit, metadata: as of every environment.
        kwargs: arguments of the cluster.

    Raises:
        InvalidEnvironment: `DaskExecutor` does not take the arguments.

    """

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        provider_class: Callable[..., Any],
        adaptive_min_workers: int | None = None,
        adaptive_max_workers: int | None = None,
        security: Any = None,
        executor_kwargs: Mapping[str, Any] | None = None,
        labels: Iterable[str] | None = None,
        on_execute: Callable[[dict[str, Any], dict[str, Any]], object] | None = None,
        on_start: Callable[[], object] | None = None,
        on_exit: Callable[[], object] | None = None,
        metadata: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(labels=labels, on_start=on_start, on_exit=on_exit, metadata=metadata)
        if not callable(provider_class):
            raise InvalidEnvironment(f"DaskCloudProviderEnvironment: provider_class takes a class, not {provider_class!r}.")
        if on_execute is not None and not callable(on_execute):
            raise InvalidEnvironment(f"DaskCloudProviderEnvironment: on_execute takes a function, not {on_execute!r}.")
        # Clusters of dask_cloudprovider would remove the definitions of other runs' tasks with their own.
        cluster_kwargs = {"skip_cleanup": True, **({"security": security} if security is not None else {}), **kwargs}
        chosen: dict[str, Any] = {
            "cluster_class": provider_class if on_execute is None else AdjustedCluster(provider_class, on_execute),
            "cluster_kwargs": cluster_kwargs,
        }
        limits = {"minimum": adaptive_min_workers, "maximum": adaptive_max_workers}
        if any(limit is not None for limit in limits.values()):
            chosen["adapt_kwargs"] = {name: limit for name, limit in limits.items() if limit is not None}
        self.executor = _dask("DaskCloudProviderEnvironment", security, {**(executor_kwargs or {}), **chosen})


class AdjustedCluster:
    """Makes a cluster of arguments that a function may change first, given the run's parameters."""

    def __init__(self, provider_class: Callable[..., Any], on_execute: Callable[[dict[str, Any], dict[str, Any]], object]) -> None:
        self.provider_class = provider_class
        self.on_execute = on_execute

    def __call__(self, **cluster_kwargs: Any) -> Any:
        self.on_execute(dict(context.get("parameters", {})), cluster_kwargs)
        return self.provider_class(**cluster_kwargs)


class DaskKubernetesEnvironment(Environment):
    """Runs as jobs of Kubernetes that make a Dask cluster there: `KubernetesRun` and a `DaskExecutor` on `dask_kubernetes`.

    There is no agent for Kubernetes yet: registering such a flow says what works instead.

    Args:
        min_workers, max_workers: between how many workers the cluster grows and shrinks.
        work_stealing, scheduler_logs, log_k8s_errors: kept, and not used.
        private_registry, docker_secret: kept, and not used: `image_pull_secret` names the registry's secret.
        labels, on_start, on_exit, metadata: as of every environment.
        scheduler_spec_file: a file of YAML with the job in which the flow runs.
        worker_spec_file: a file of YAML with the pods of the workers.
        image_pull_secret: the name of the secret with which images are pulled.

    Raises:
        InvalidEnvironment, InvalidRunConfig: a number has the wrong form, or a file cannot be read.

    """

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        min_workers: int = 1,
        max_workers: int = 2,
        work_stealing: bool = True,
        scheduler_logs: bool = False,
        private_registry: bool = False,
        docker_secret: str | None = None,
        labels: Iterable[str] | None = None,
        on_start: Callable[[], object] | None = None,
        on_exit: Callable[[], object] | None = None,
        metadata: Mapping[str, Any] | None = None,
        scheduler_spec_file: str | None = None,
        worker_spec_file: str | None = None,
        image_pull_secret: str | None = None,
        log_k8s_errors: bool = False,
    ) -> None:
        super().__init__(labels=labels, on_start=on_start, on_exit=on_exit, metadata=metadata)
        for name, workers in (("min_workers", min_workers), ("max_workers", max_workers)):
            if not isinstance(workers, int) or isinstance(workers, bool) or workers < 0:
                raise InvalidEnvironment(f"DaskKubernetesEnvironment: {name} takes a number of workers, not {workers!r}.")
        self.min_workers, self.max_workers = min_workers, max_workers
        self.work_stealing, self.scheduler_logs, self.log_k8s_errors = work_stealing, scheduler_logs, log_k8s_errors
        self.private_registry, self.docker_secret = private_registry, docker_secret
        self.scheduler_spec_file, self.worker_spec_file = scheduler_spec_file, worker_spec_file
        self.image_pull_secret = image_pull_secret
        self._scheduler_spec = document_at("scheduler_spec_file", scheduler_spec_file)[1]
        pods = document_at("worker_spec_file", worker_spec_file)[1]
        self.executor = DaskExecutor(
            cluster_class="dask_kubernetes.KubeCluster",
            cluster_kwargs={} if pods is None else {"pod_template": pods},
            adapt_kwargs={"minimum": min_workers, "maximum": max_workers},
        )

    def run_config(self) -> RunConfig:
        secrets = None if self.image_pull_secret is None else [self.image_pull_secret]
        return self.labelled(KubernetesRun(job_template=self._scheduler_spec, image_pull_secrets=secrets))

    def notes(self) -> list[str]:
        return ["private_registry and docker_secret are not used."] if self.private_registry or self.docker_secret else []


def _dask(environment: str, security: Any, arguments: dict[str, Any]) -> DaskExecutor:
    if security is not None:
        arguments["client_kwargs"] = {**(arguments.get("client_kwargs") or {}), "security": security}
    try:
        return DaskExecutor(**arguments)
    except TypeError as error:
        raise InvalidEnvironment(f"{environment}: {error}", hint="executor_kwargs are arguments of DaskExecutor.") from error
