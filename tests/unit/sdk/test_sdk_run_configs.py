"""Run configs for platforms whose agents are not there yet: what they keep, refuse and tell."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from headwater import Flow, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.client.flow_metadata import check_supported
from headwater.sdk.executors import LocalDaskExecutor
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.run_configs import DockerRun, ECSRun, KubernetesRun, LocalRun, RunConfig, UniversalRun, VertexRun, run_config_from
from headwater.sdk.run_configs.errors import InvalidRunConfig, NoAgentForRunConfig
from headwater.sdk.run_configs.kubernetes import KubernetesRun as KubernetesRunOfItsModule

TEMPLATE = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"labels": {"example": "foo"}}}

# Arguments and the attributes that Prefect 1.4.1 makes of them.
GIVEN: list[tuple[type[RunConfig], dict[str, Any], dict[str, Any]]] = [
    (UniversalRun, {}, {"env": None, "labels": set()}),
    (UniversalRun, {"env": {"a": "b"}, "labels": ["x", "y"]}, {"env": {"a": "b"}, "labels": {"x", "y"}}),
    (LocalRun, {}, {"env": None, "working_dir": None, "labels": set()}),
    (DockerRun, {}, {"image": None, "ports": None, "host_config": None, "env": None, "labels": set()}),
    (DockerRun, {"image": "i", "ports": (80, 81), "host_config": {"a": {"b": 1}}}, {"image": "i", "ports": [80, 81]}),
    (KubernetesRun, {}, {"job_template": None, "job_template_path": None, "image_pull_secrets": None, "image_pull_policy": None}),
    (KubernetesRun, {"cpu_limit": 1, "cpu_request": "500m"}, {"cpu_limit": "1", "cpu_request": "500m"}),
    (KubernetesRun, {"cpu_limit": 1.5, "memory_limit": "2Gi"}, {"cpu_limit": "1.5", "memory_limit": "2Gi"}),
    (KubernetesRun, {"image_pull_secrets": ("a", "b"), "image_pull_policy": "Never"}, {"image_pull_secrets": ["a", "b"]}),
    (KubernetesRun, {"job_template": TEMPLATE}, {"job_template": TEMPLATE, "job_template_path": None}),
    (KubernetesRun, {"job_template": yaml.safe_dump(TEMPLATE)}, {"job_template": TEMPLATE}),
    (KubernetesRun, {"job_template_path": "s3://bucket/a.yaml"}, {"job_template": None, "job_template_path": "s3://bucket/a.yaml"}),
    (ECSRun, {}, {"task_definition": None, "task_definition_arn": None, "cpu": None, "run_task_kwargs": None}),
    (ECSRun, {"cpu": 512, "memory": "2 gb", "image": "i"}, {"cpu": "512", "memory": "2 gb", "image": "i"}),
    (ECSRun, {"task_definition": {"a": 1}, "run_task_kwargs": {"b": [2]}}, {"task_definition": {"a": 1}, "run_task_kwargs": {"b": [2]}}),
    (ECSRun, {"task_definition_path": "gs://bucket/a.yaml"}, {"task_definition_path": "gs://bucket/a.yaml", "task_definition": None}),
    (VertexRun, {}, {"machine_type": "e2-standard-4", "scheduling": None, "worker_pool_specs": None, "network": None}),
    (VertexRun, {"worker_pool_specs": [{"a": 1}], "scheduling": {"timeout": "3600s"}}, {"worker_pool_specs": [{"a": 1}]}),
]

WRONG: dict[str, Callable[[], object]] = {
    "two job templates": lambda: KubernetesRun(job_template={}, job_template_path="/some/path"),
    "two task definitions": lambda: ECSRun(task_definition={}, task_definition_arn="arn"),
    "a task definition by path and by name": lambda: ECSRun(task_definition_path="s3://a", task_definition_arn="arn"),
    "an image that the task definition names": lambda: ECSRun(task_definition_arn="arn", image="i"),
    "a pull policy that there is not": lambda: KubernetesRun(image_pull_policy="Sometimes"),
    "one secret as a text": lambda: KubernetesRun(image_pull_secrets="name"),
    "ports as texts": lambda: DockerRun(ports=["80"]),  # type: ignore[list-item]
    "a port": lambda: DockerRun(ports=80),  # type: ignore[arg-type]
    "an image that is not a text": lambda: DockerRun(image=1),  # type: ignore[arg-type]
    "a host config that is a list": lambda: DockerRun(host_config=["a"]),  # type: ignore[arg-type]
    "a truth value for processors": lambda: KubernetesRun(cpu_limit=True),
    "a template that is a list": lambda: KubernetesRun(job_template="- a\n- b"),
    "a template that is not YAML": lambda: KubernetesRun(job_template="a: [1"),
    "a template in no file": lambda: KubernetesRun(job_template_path="/nowhere/at/all.yaml"),
    "machines as a dict": lambda: VertexRun(worker_pool_specs={"a": 1}),  # type: ignore[dict-item]
    "a kind that there is not": lambda: run_config_from({"type": "Rocket"}),
    "values of another kind": lambda: run_config_from({"type": "DockerRun", "working_dir": "/"}),
}


@pytest.mark.parametrize(("kind", "arguments", "attributes"), GIVEN)
def test_a_run_config_keeps_what_it_is_given(kind: type[RunConfig], arguments: dict[str, Any], attributes: dict[str, Any]) -> None:
    run_config = kind(**arguments)

    assert {name: getattr(run_config, name) for name in attributes} == attributes


@pytest.mark.parametrize(("kind", "arguments"), [(kind, arguments) for kind, arguments, _ in GIVEN])
def test_a_run_config_survives_json_and_pickling(kind: type[RunConfig], arguments: dict[str, Any]) -> None:
    run_config = kind(**arguments)

    assert run_config_from(json.loads(json.dumps(run_config.serialize()))) == run_config
    assert pickle.loads(pickle.dumps(run_config)) == run_config
    assert run_config != kind(env={"another": "one"})


@pytest.mark.parametrize("prefix", ["", "file://", "local://"])
def test_a_template_in_a_file_is_read_where_it_is_named(tmp_path: Path, prefix: str) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(yaml.safe_dump(TEMPLATE))

    assert KubernetesRun(job_template_path=f"{prefix}{file}").job_template == TEMPLATE
    assert ECSRun(task_definition_path=f"{prefix}{file}").task_definition == TEMPLATE
    assert ECSRun(task_definition_path=f"{prefix}{file}").task_definition_path is None


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(InvalidRunConfig) as raised:
        WRONG[name]()

    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, InvalidArgument)


@pytest.mark.parametrize(
    ("given", "kept"), [(False, "False"), (True, "True"), (8, "8"), (0.5, "0.5"), ("text", "text"), ("", ""), (None, None)]
)
@pytest.mark.parametrize("kind", [UniversalRun, LocalRun, DockerRun, KubernetesRun, ECSRun, VertexRun])
def test_variables_may_be_numbers_booleans_and_none(kind: type[RunConfig], given: Any, kept: str | None) -> None:
    run_config = kind(env={"X": given})

    assert run_config.env == {"X": kept}
    assert run_config_from(json.loads(json.dumps(run_config.serialize()))).env == {"X": kept}


@pytest.mark.parametrize("env", [{"X": ["a"]}, {"X": {"a": 1}}, {"X": b"bytes"}, {"X": object()}, {1: "a"}, {None: "a"}])
def test_other_variables_are_refused_with_their_name(env: dict[Any, Any]) -> None:
    with pytest.raises(InvalidRunConfig, match=f"Environment variables are texts, and {next(iter(env))!r}"):
        UniversalRun(env=env)


def test_what_may_be_secret_is_not_shown() -> None:
    shown = [
        repr(UniversalRun(env={"PASSWORD": "hunter2"})),
        repr(ECSRun(run_task_kwargs={"overrides": {"password": "hunter2"}})),
        repr(DockerRun(host_config={"password": "hunter2"})),
    ]

    assert not any("hunter2" in text for text in shown)
    assert shown[0] == "UniversalRun(env={'PASSWORD': ...})"


def test_a_flow_runs_here_with_any_run_config() -> None:
    @task
    def three() -> int:
        return 3

    for run_config in (DockerRun(image="i"), KubernetesRun(image="i"), ECSRun(image="i"), VertexRun(image="i")):
        with Flow("elsewhere", run_config=run_config) as flow:
            found = three()
        state = flow.run()

        assert state.is_successful()
        assert state.result[found].result == 3
        assert flow.serialize()["run_config"]["image"] == "i"


@pytest.mark.parametrize("kind", [DockerRun, KubernetesRun, ECSRun, VertexRun])
def test_what_no_agent_runs_says_what_works_instead(kind: type[RunConfig]) -> None:
    with pytest.raises(NoAgentForRunConfig, match=f"A {kind.__name__} needs an agent") as raised:
        kind().check_supported()

    assert "UniversalRun" in str(raised.value.hint)


def test_an_agent_that_could_not_run_the_flow_is_not_started() -> None:
    with pytest.raises(NoAgentForRunConfig):
        Flow("f", run_config=KubernetesRun()).run_agent()


@pytest.mark.parametrize(("setting", "wrong"), [("run_config", {}), ("storage", "S3"), ("executor", LocalDaskExecutor)])
def test_what_is_set_wrongly_after_the_flow_was_made_is_refused_at_registration(setting: str, wrong: object) -> None:
    flow = Flow("f")
    setattr(flow, setting, wrong)

    with pytest.raises(InvalidFlow):
        check_supported(flow)


def test_a_run_config_without_an_environment_has_none_after_json_too() -> None:
    assert run_config_from(LocalRun().serialize()) == LocalRun()
    assert KubernetesRunOfItsModule is KubernetesRun
