"""Kinds of storage in which flows cannot be kept yet: what they keep, refuse and tell."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.client.flow_metadata import check_supported
from headwater.sdk.storage import GCS, S3, Azure, Bitbucket, CodeCommit, Docker, Git, GitHub, GitLab, Local, Module, Storage, Webhook
from headwater.sdk.storage.errors import FlowNotInStorage, InvalidStorage, StorageNotSupported, UnknownHttpMethod

REQUESTS: dict[str, Any] = {
    "build_request_kwargs": {"url": "https://service.example/flows", "headers": {"key": "${KEY}"}},
    "build_request_http_method": "POST",
    "get_flow_request_kwargs": {"url": "https://service.example/flows/1"},
    "get_flow_request_http_method": "GET",
}
KINDS: dict[str, tuple[Callable[..., Storage], dict[str, Any], str | None]] = {
    "S3": (S3, {"bucket": "b", "key": "k", "client_options": {"region_name": "eu"}, "upload_options": {"a": 1}}, "k"),
    "S3 without a key": (S3, {"bucket": "b", "stored_as_script": True, "local_script_path": "flow.py"}, None),
    "GCS": (GCS, {"bucket": "b", "key": "k", "project": "p", "local_script_path": "flow.py"}, "k"),
    "GCS without a key": (GCS, {"bucket": "b"}, None),
    "Azure": (Azure, {"container": "c", "connection_string_secret": "s", "blob_name": "n", "overwrite": True}, "n"),
    "GitHub": (GitHub, {"repo": "o/n", "path": "f.py", "ref": "r", "access_token_secret": "s", "base_url": "https://own.example"}, "f.py"),
    "GitLab": (GitLab, {"repo": "o/n", "host": "h", "path": "f.py", "ref": "r", "access_token_secret": "s"}, "f.py"),
    "Bitbucket Server": (Bitbucket, {"project": "p", "repo": "r", "host": "h", "path": "f.py", "access_token_secret": "s"}, "f.py"),
    "Bitbucket Cloud": (Bitbucket, {"project": "p", "repo": "r", "workspace": "w", "path": "f.py", "cloud_username_secret": "s"}, "f.py"),
    "CodeCommit": (CodeCommit, {"repo": "r", "path": "f.py", "commit": "c", "client_options": {"a": 1}}, "f.py"),
    "Git": (Git, {"flow_path": "f.py", "repo": "o/n", "repo_host": "h", "tag": "t", "clone_depth": 2, "git_token_username": "u"}, "f.py"),
    "Docker": (Docker, {"registry_url": "r.example", "image_name": "i", "image_tag": "t", "path": "/f.py", "files": {"/a": "/b"}}, "/f.py"),
    "Docker by a file": (Docker, {"dockerfile": "Dockerfile", "python_dependencies": ["pandas"], "env_vars": {"A": "b"}}, None),
    "Webhook": (Webhook, REQUESTS, None),
    "Webhook of a script": (Webhook, {**REQUESTS, "stored_as_script": True, "flow_script_path": "f.py"}, "f.py"),
}
WRONG: dict[str, Callable[[], object]] = {
    "no bucket": lambda: S3(""),
    "a bucket that is not a text": lambda: GCS(1),  # type: ignore[arg-type]
    "no container": lambda: Azure(None),  # type: ignore[arg-type]
    "no repository": lambda: GitHub("", "flow.py"),
    "Git without a repository": lambda: Git("flow.py"),
    "Git with a branch and a tag": lambda: Git("flow.py", repo="o/n", branch_name="b", tag="t"),
    "Bitbucket Cloud and Server": lambda: Bitbucket("p", "r", workspace="w", access_token_secret="s"),
    "Docker with a base image and a Dockerfile": lambda: Docker(base_image="b", dockerfile="d"),
    "Docker with relative files": lambda: Docker(files={"a.py": "/a.py"}),
    "a method that there is not": lambda: Webhook(**{**REQUESTS, "get_flow_request_http_method": "PASS"}),
    "a key that is not a text": lambda: S3("b", key=1),  # type: ignore[arg-type]
    "options that are not a dict": lambda: S3("b", client_options=["eu"]),  # type: ignore[arg-type]
    "a branch that is not a text": lambda: GitHub("o/n", "f.py", ref=1),  # type: ignore[arg-type]
    "packages as one text": lambda: Docker(python_dependencies="pandas"),
    "variables as a list": lambda: Docker(env_vars=["A=b"]),  # type: ignore[arg-type]
    "files as a list": lambda: Docker(files=["/a.py"]),  # type: ignore[arg-type]
    "a request that is a text": lambda: Webhook(**{**REQUESTS, "build_request_kwargs": "https://service.example"}),
    "GitLab without a file": lambda: GitLab("o/n").add_flow(Flow("f")),
    "CodeCommit without a file": lambda: CodeCommit("r").add_flow(Flow("f")),
}


def made(name: str, **more: Any) -> Storage:
    kind, arguments, _ = KINDS[name]
    return kind(**arguments, **more)


@pytest.mark.parametrize("name", KINDS)
def test_a_storage_keeps_what_it_is_given(name: str) -> None:
    storage = made(name, secrets=["key"], labels=["a"])

    assert {argument: getattr(storage, argument) for argument in KINDS[name][1]} == KINDS[name][1]
    assert (storage.secrets, storage.labels, storage.flows) == (["key"], ["a"], {})
    assert storage.logger.name.endswith(type(storage).__name__)


@pytest.mark.parametrize("name", KINDS)
def test_a_storage_survives_pickling_and_tells_itself_as_json(name: str) -> None:
    storage = made(name, secrets=["key"])
    told = json.loads(json.dumps(storage.serialize()))

    assert pickle.loads(pickle.dumps(storage)) == storage
    assert storage == made(name, secrets=["key"])
    assert storage != made(name)
    assert (told["type"], told["secrets"], told["flows"]) == (type(storage).__name__, ["key"], {})
    assert {argument: told[argument] for argument in KINDS[name][1]} == json.loads(json.dumps(KINDS[name][1]))
    assert repr(storage) == f"<Storage: {type(storage).__name__}>"


@pytest.mark.parametrize("name", KINDS)
def test_a_flow_that_is_added_has_its_place(name: str) -> None:
    storage, place = made(name), KINDS[name][2]
    flow = Flow("a flow")

    assert storage.add_flow(flow) == storage.flows["a flow"]
    assert "a flow" in storage
    if place is not None:
        assert storage.flows["a flow"] == place


@pytest.mark.parametrize("name", KINDS)
def test_a_flow_runs_here_with_any_storage(name: str) -> None:
    @task
    def three() -> int:
        return 3

    with Flow("elsewhere", storage=made(name)) as flow:
        three()

    assert flow.run().is_successful()
    assert flow.serialize()["storage"]["type"] == type(flow.storage).__name__
    assert len(flow.serialized_hash()) == 64


@pytest.mark.parametrize("name", KINDS)
def test_what_cannot_be_done_yet_says_what_works_instead(name: str) -> None:
    storage = made(name)
    for call in (storage.check_supported, storage.build, lambda: storage.get_flow("a flow")):
        with pytest.raises(StorageNotSupported, match=f"which {type(storage).__name__} storage stands for") as raised:
            call()

        assert "Local(" in str(raised.value.hint)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_is_refused_where_it_is_written(name: str) -> None:
    with pytest.raises(InvalidStorage) as raised:
        WRONG[name]()

    assert isinstance(raised.value, ValueError)
    assert isinstance(raised.value, InvalidArgument)


def test_a_wrong_method_is_a_runtime_error_too() -> None:
    with pytest.raises(RuntimeError, match="HTTP method 'PASS' not recognized") as raised:
        Webhook(**{**REQUESTS, "build_request_http_method": "PASS"})

    assert isinstance(raised.value, UnknownHttpMethod)


def test_an_image_has_a_name_once_it_is_named() -> None:
    assert Docker(registry_url="r.example/team", image_name="i", image_tag="t").name == "r.example/team/i:t"
    assert Docker(image_name="i", image_tag="t").name == "i:t"
    assert (Local().name, S3("bucket").name) == ("Local", "S3")
    with pytest.raises(ValueError, match="no image_name or no image_tag"):
        _ = Docker(image_name="i").name


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    for storage in (Local(tmp_path), S3("bucket"), Module("some.module")):
        flow = Flow("one name")
        storage.add_flow(flow)

        for another in (Flow("one name"), flow):
            with pytest.raises(ValueError, match="Name conflict: a flow named 'one name'"):
                storage.add_flow(another)
        assert storage.put_flow(Flow("one name"))


def test_a_flow_that_was_added_is_there_before_anything_is_built(tmp_path: Path) -> None:
    storage = Local(tmp_path)
    place = storage.add_flow(Flow("first"))
    storage.add_flow(Flow("second"))

    assert Path(place).is_file()
    assert [storage.get_flow(name).name for name in ("first", "second")] == ["first", "second"]


def test_what_was_built_stays_as_it_is_when_another_flow_is_added(tmp_path: Path) -> None:
    storage = Local(tmp_path)
    first = Flow("first")
    place = Path(storage.add_flow(first))
    storage.build()
    built = place.read_bytes()

    first.add_task(task(lambda: 1, name="late"))
    storage.add_flow(Flow("second"))
    storage.build()

    assert place.read_bytes() == built


def test_a_flow_that_was_never_added_is_refused() -> None:
    with pytest.raises(FlowNotInStorage, match="Flow 'third' is not there: this Local storage holds no flows") as raised:
        Local().get_flow("third")

    assert isinstance(raised.value, ValueError)


def test_a_directory_that_is_not_validated_stays_as_it_is_given() -> None:
    assert Local("~/flows", validate=False).directory == "~/flows"
    assert str(Local("~/flows").directory).startswith("/")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("azure", "Azure"),
        ("bitbucket", "Bitbucket"),
        ("codecommit", "CodeCommit"),
        ("docker", "Docker"),
        ("gcs", "GCS"),
        ("git", "Git"),
        ("github", "GitHub"),
        ("gitlab", "GitLab"),
        ("s3", "S3"),
        ("webhook", "Webhook"),
    ],
)
def test_each_storage_is_in_its_module_too(module: str, name: str) -> None:
    assert getattr(import_module(f"headwater.storage.{module}"), name) is getattr(import_module("headwater.storage"), name)


class InMemory(Storage):
    """As storages of one's own are written for Prefect."""

    def __init__(self, place: str, **kwargs: Any) -> None:
        self.place = place
        super().__init__(**kwargs)

    @property
    def default_labels(self) -> list[str]:
        return ["in-memory"]

    def add_flow(self, flow: Flow) -> str:
        self.flows[flow.name] = f"{self.place}/{flow.name}"
        self._flows[flow.name] = flow
        return self.flows[flow.name]

    def get_flow(self, flow_name: str) -> Flow:
        return self._flows[flow_name]


def test_a_storage_of_your_own_adds_gives_and_holds_flows() -> None:
    storage, flow = InMemory("memory", labels=["mine"], secrets=["KEY"]), Flow("own")

    assert storage.add_flow(flow) == "memory/own"
    assert "own" in storage
    assert storage.get_flow("own") is flow
    assert storage.build() is storage
    assert storage.labels == ["in-memory", "mine"]
    assert storage.serialize() | {"type": "InMemory", "flows": {"own": "memory/own"}, "secrets": ["KEY"]} == storage.serialize()


def test_a_flow_in_a_storage_of_your_own_runs_and_is_described_and_pickled() -> None:
    flow = Flow("own", storage=InMemory("memory"))

    assert flow.run().is_successful()
    assert flow.serialize(build=True)["storage"]["location"] == "memory/own"
    assert flow.serialize(build=True)["storage"]["type"] == "InMemory"
    assert pickle.loads(pickle.dumps(flow.storage)).flows == {"own": "memory/own"}


def test_registering_with_a_storage_of_your_own_says_what_works_instead() -> None:
    with pytest.raises(StorageNotSupported, match="a storage of your own yet, which InMemory storage stands for") as raised:
        check_supported(Flow("own", storage=InMemory("memory")))

    assert "Local(" in str(raised.value.hint)


def test_a_storage_of_your_own_that_does_not_say_how_to_add_a_flow_is_refused_and_get_flow_names_the_class() -> None:
    class Half(Storage):
        def add_flow(self, flow: Flow) -> str:
            return super().add_flow(flow)

    with pytest.raises(TypeError, match="add_flow"):
        Storage()  # type: ignore[abstract]
    with pytest.raises(NotImplementedError, match="Half does not define get_flow"):
        Half().get_flow("a flow")
