"""Environments of Prefect 0.13 and 0.14: what each becomes, what is refused, and what is reported."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
import yaml

from headwater import Flow, task
from headwater.sdk.client.flow_metadata import add_labels, check_supported
from headwater.sdk.context.context import context
from headwater.sdk.environments import (
    DaskCloudProviderEnvironment,
    DaskKubernetesEnvironment,
    Environment,
    FargateTaskEnvironment,
    KubernetesJobEnvironment,
    LocalEnvironment,
    RemoteDaskEnvironment,
    RemoteEnvironment,
)
from headwater.sdk.environments.errors import EnvironmentFailed, InvalidEnvironment
from headwater.sdk.executors import DaskExecutor, LocalDaskExecutor, LocalExecutor
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.language.fingerprint import fingerprint
from headwater.sdk.run_configs import ECSRun, KubernetesRun, RunConfig, UniversalRun
from headwater.sdk.run_configs.errors import InvalidRunConfig, NoAgentForRunConfig

JOB = {"apiVersion": "batch/v1", "kind": "Job"}
CONTAINERS = [{"name": "flow", "image": "i"}]

BECOMES: dict[str, tuple[Callable[[], Environment], RunConfig]] = {
    "Environment": (lambda: Environment(labels=["a"]), UniversalRun(labels=["a"])),
    "LocalEnvironment": (lambda: LocalEnvironment(labels=["a"], metadata={"image": "i"}), UniversalRun(labels=["a"])),
    "RemoteEnvironment": (lambda: RemoteEnvironment(labels=["a"]), UniversalRun(labels=["a"])),
    "RemoteDaskEnvironment": (lambda: RemoteDaskEnvironment("tcp://d:8786", labels=["a"]), UniversalRun(labels=["a"])),
    "DaskCloudProviderEnvironment": (lambda: DaskCloudProviderEnvironment(dict, labels=["a"]), UniversalRun(labels=["a"])),
    "DaskKubernetesEnvironment": (
        lambda: DaskKubernetesEnvironment(labels=["a"], image_pull_secret="s"),
        KubernetesRun(labels=["a"], image_pull_secrets=["s"]),
    ),
    "KubernetesJobEnvironment": (lambda: KubernetesJobEnvironment(labels=["a"]), KubernetesRun(labels=["a"])),
    "FargateTaskEnvironment": (
        lambda: FargateTaskEnvironment(labels=["a"], family="f", cpu="256", containerDefinitions=CONTAINERS, cluster="c", tags=[]),
        ECSRun(
            labels=["a"],
            task_definition={"family": "f", "cpu": "256", "containerDefinitions": CONTAINERS, "tags": []},
            run_task_kwargs={"launchType": "FARGATE", "cluster": "c", "tags": []},
        ),
    ),
}

EXECUTORS: dict[str, tuple[Callable[[], Environment], type, dict[str, Any]]] = {
    "one that is given": (lambda: LocalEnvironment(LocalExecutor()), LocalExecutor, {}),
    "one for a job": (lambda: KubernetesJobEnvironment(executor=LocalExecutor()), LocalExecutor, {}),
    "one for a task of ECS": (lambda: FargateTaskEnvironment(executor=LocalExecutor()), LocalExecutor, {}),
    "ours by a path of Prefect": (lambda: RemoteEnvironment("prefect.engine.executors.LocalExecutor"), LocalExecutor, {}),
    "ours by its own path": (lambda: RemoteEnvironment("headwater.executors.LocalExecutor"), LocalExecutor, {}),
    "with arguments": (
        lambda: RemoteEnvironment("prefect.engine.executors.dask.DaskExecutor", {"address": "tcp://d:8786"}),
        DaskExecutor,
        {"address": "tcp://d:8786"},
    ),
    "a cluster that is there": (
        lambda: RemoteDaskEnvironment("tcp://d:8786", security="tls"),
        DaskExecutor,
        {"address": "tcp://d:8786", "client_kwargs": {"security": "tls"}},
    ),
    "a cluster of a provider": (
        lambda: DaskCloudProviderEnvironment(dict, 1, 4, image="i", executor_kwargs={"debug": True}),
        DaskExecutor,
        {
            "cluster_class": dict,
            "cluster_kwargs": {"skip_cleanup": True, "image": "i"},
            "adapt_kwargs": {"minimum": 1, "maximum": 4},
            "debug": True,
        },
    ),
    "a cluster on Kubernetes": (
        lambda: DaskKubernetesEnvironment(2, 3),
        DaskExecutor,
        {"cluster_class": "dask_kubernetes.KubeCluster", "adapt_kwargs": {"minimum": 2, "maximum": 3}},
    ),
}

WRONG: dict[str, Callable[[], object]] = {
    "an executor that is not one": lambda: LocalEnvironment(executor=42),  # type: ignore[arg-type]
    "an executor's class": lambda: KubernetesJobEnvironment(executor=LocalExecutor),  # type: ignore[arg-type]
    "labels as one text": lambda: LocalEnvironment(labels="gpu"),
    "a callback that cannot be called": lambda: LocalEnvironment(on_start="setup.sh"),  # type: ignore[arg-type]
    "metadata as a list": lambda: LocalEnvironment(metadata=["a"]),  # type: ignore[arg-type]
    "a path that leads nowhere": lambda: RemoteEnvironment("prefect.engine.executors.Nothing"),
    "a module that there is not": lambda: RemoteEnvironment("somewhere.else.Executor"),
    "a path that is a word": lambda: RemoteEnvironment("DaskExecutor"),
    "a path of something else": lambda: RemoteEnvironment("collections.OrderedDict"),
    "arguments that the executor does not have": lambda: RemoteEnvironment("headwater.executors.LocalExecutor", {"nonsense": 1}),
    "no address": lambda: RemoteDaskEnvironment(""),
    "arguments that Dask's executor does not have": lambda: RemoteDaskEnvironment("tcp://d:8786", executor_kwargs={"nonsense": 1}),
    "a provider that is a text": lambda: DaskCloudProviderEnvironment("FargateCluster"),  # type: ignore[arg-type]
    "workers that are not a number": lambda: DaskKubernetesEnvironment(min_workers="1"),  # type: ignore[arg-type]
    "arguments of no executor": lambda: KubernetesJobEnvironment(executor_kwargs={"a": 1}),
    "arguments of no request": lambda: FargateTaskEnvironment(nonsense=1),
}


def flow_with(environment: Environment) -> Flow:
    return Flow("f", environment=environment)


@pytest.mark.parametrize("name", BECOMES)
def test_an_environment_is_a_run_config(name: str) -> None:
    make, run_config = BECOMES[name]
    flow = flow_with(make())

    assert flow.run_config == run_config
    assert type(flow.run_config) is type(run_config)
    assert repr(flow.environment) == f"<Environment: {name}>"


@pytest.mark.parametrize("name", EXECUTORS)
def test_an_environment_brings_its_executor(name: str) -> None:
    make, kind, settings = EXECUTORS[name]
    executor = flow_with(make()).executor

    assert type(executor) is kind
    assert {setting: getattr(executor, setting) for setting in settings} == settings


def test_the_pool_that_flows_know_as_dask_is_found_by_its_path_of_prefect() -> None:
    executor = flow_with(RemoteEnvironment("prefect.engine.executors.LocalDaskExecutor", {"num_workers": 3})).executor

    assert type(executor) is type(LocalDaskExecutor(num_workers=3))


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(InvalidEnvironment) as raised:
        WRONG[name]()

    assert isinstance(raised.value, TypeError)


@pytest.mark.parametrize("key", ["aws_access_key_id", "aws_secret_access_key", "aws_session_token"])
def test_a_key_is_refused_with_the_place_where_it_belongs(key: str) -> None:
    with pytest.raises(InvalidEnvironment, match=f"{key} would be stored with the flow") as raised:
        FargateTaskEnvironment(**dict[str, Any]({key: "AKIA-SECRET"}))

    assert "environment of the agent" in str(raised.value.hint)
    assert "AKIA-SECRET" not in f"{raised.value} {raised.value.hint}"


def test_a_flow_without_an_environment_has_none_and_keeps_its_executor() -> None:
    executor = LocalExecutor()
    flow = Flow("f", executor=executor)

    assert flow.environment is None
    flow.environment = LocalEnvironment(labels=["a"])
    assert (flow.executor, flow.run_config) == (executor, UniversalRun(labels=["a"]))


def test_another_environment_takes_the_place_of_the_first() -> None:
    flow = flow_with(LocalEnvironment(labels=["a"]))

    flow.environment = KubernetesJobEnvironment(labels=["b"])
    assert flow.run_config == KubernetesRun(labels=["b"])
    flow.environment = None
    assert flow.run_config is None


def test_a_run_config_beside_an_environment_is_refused() -> None:
    environment = LocalEnvironment(labels=["a"])

    with pytest.raises(InvalidFlow, match="has a run config"):
        Flow("f", environment=environment, run_config=UniversalRun())
    flow = Flow("f", run_config=UniversalRun())
    with pytest.raises(ValueError, match="has a run config"):
        flow.environment = environment
    late = flow_with(environment)
    late.run_config = UniversalRun(labels=["b"])
    with pytest.raises(InvalidFlow, match="has an environment and a run config"):
        check_supported(late)


def test_what_is_not_an_environment_is_refused() -> None:
    with pytest.raises(InvalidFlow, match="is not of type Environment"):
        Flow("f", environment=UniversalRun())  # type: ignore[arg-type]
    with pytest.raises(InvalidFlow, match="is a class"):
        Flow("f", environment=LocalEnvironment)  # type: ignore[arg-type]


def test_labels_that_come_later_are_the_flows_too() -> None:
    environment = LocalEnvironment(labels=["a"])
    flow = flow_with(environment)

    environment.labels.add("b")
    add_labels(flow, ["c"])

    assert flow.run_config == UniversalRun(labels=["a", "b", "c"])
    check_supported(flow)


def test_the_specs_of_jobs_and_pods_are_read_from_their_files(tmp_path: Path) -> None:
    job, pods = tmp_path / "job.yaml", tmp_path / "pods.yaml"
    job.write_text(yaml.safe_dump(JOB))
    pods.write_text(yaml.safe_dump({"kind": "Pod"}))

    assert flow_with(KubernetesJobEnvironment(job_spec_file=str(job))).run_config == KubernetesRun(job_template=JOB)
    on_kubernetes = DaskKubernetesEnvironment(scheduler_spec_file=str(job), worker_spec_file=str(pods))
    assert on_kubernetes.run_config() == KubernetesRun(job_template=JOB)
    assert isinstance(on_kubernetes.executor, DaskExecutor)
    assert on_kubernetes.executor.cluster_kwargs == {"pod_template": {"kind": "Pod"}}
    with pytest.raises(InvalidRunConfig, match="cannot be read"):
        KubernetesJobEnvironment(job_spec_file=str(tmp_path / "nothing.yaml"))


def test_a_function_may_change_a_clusters_arguments_before_it_is_made() -> None:
    def more_memory(parameters: dict[str, Any], arguments: dict[str, Any]) -> None:
        arguments["memory"] = parameters["gigabytes"] * 1024

    executor = DaskCloudProviderEnvironment(dict, on_execute=more_memory, cpu=2).executor
    assert isinstance(executor, DaskExecutor)

    with context(parameters={"gigabytes": 4}):
        assert executor.cluster_class(**executor.cluster_kwargs) == {"skip_cleanup": True, "cpu": 2, "memory": 4096}  # type: ignore[operator, misc]


def test_registering_says_what_the_environment_became(capfd: pytest.CaptureFixture[str]) -> None:
    check_supported(flow_with(LocalEnvironment(LocalExecutor(), labels=["a"])))
    with pytest.raises(NoAgentForRunConfig):
        check_supported(flow_with(FargateTaskEnvironment(family="f", region_name="eu")))

    lines = "".join(capfd.readouterr())
    assert "LocalEnvironment is read as UniversalRun(labels=['a']) and the executor LocalExecutor." in lines
    assert "FargateTaskEnvironment is read as ECSRun(task_definition={'family': ...}" in lines
    assert "region_name='eu' is not used: the agent's region counts." in lines


def test_a_flow_runs_here_with_any_environment_and_calls_nothing_around_it() -> None:
    @task
    def three() -> int:
        return 3

    called: list[str] = []
    environment = KubernetesJobEnvironment(on_start=lambda: called.append("start"), on_exit=lambda: called.append("exit"))
    with Flow("f", environment=environment) as flow:
        three()

    assert flow.run().is_successful()
    assert called == []


def test_what_is_called_around_a_run_is_called_in_order() -> None:
    called: list[str] = []
    environment = LocalEnvironment(on_start=lambda: called.append("start"), on_exit=lambda: called.append("exit"))

    assert environment.around(lambda: len(called)) == 1
    with pytest.raises(ZeroDivisionError):
        environment.around(lambda: 1 // 0)

    assert called == ["start", "exit", "start", "exit"]


def test_after_an_error_before_the_run_nothing_else_is_called() -> None:
    called: list[str] = []
    environment = LocalEnvironment(on_start=lambda: 1 // 0, on_exit=lambda: called.append("exit"))

    with pytest.raises(EnvironmentFailed, match=r"Failed to load and execute Flow's environment: ZeroDivisionError\('") as raised:
        environment.around(lambda: called.append("run"))

    assert isinstance(raised.value.__cause__, ZeroDivisionError)
    assert called == []


def test_an_error_after_the_run_is_reported_as_well() -> None:
    with pytest.raises(EnvironmentFailed):
        LocalEnvironment(on_exit=lambda: 1 // 0).around(lambda: 5)


def test_an_environment_of_ones_own_that_executes_flows_is_refused() -> None:
    class Cluster(Environment):
        def execute(self, flow: Flow) -> None:
            """Start it somewhere."""

    class Labelled(LocalEnvironment):
        pass

    with pytest.raises(InvalidEnvironment, match=r"Cluster defines execute\(\), which Headwater does not call"):
        Cluster()
    assert flow_with(Labelled(labels=["a"])).run_config == UniversalRun(labels=["a"])


def test_what_is_called_around_a_run_is_pickled_and_hashed_with_the_flow() -> None:
    flow, other = (Flow("f", environment=LocalEnvironment(on_start=function)) for function in (lambda: 1, lambda: 2))

    assert flow.serialized_hash() != other.serialized_hash()
    assert flow.serialized_hash() == Flow("f", environment=LocalEnvironment(on_start=lambda: 1)).serialized_hash()
    unpickled = pickle.loads(cloudpickle.dumps(flow))
    assert unpickled.environment.on_start() == 1
    assert unpickled.run_config.labels is unpickled.environment.labels
    assert flow.copy().environment is flow.environment


def test_flows_without_an_environment_have_the_hash_that_they_had() -> None:
    flow = Flow("f")

    assert flow.serialize()["code_hash"] == fingerprint([], None, None, None)
    del flow.__dict__["_derived"]
    assert flow.environment is None
