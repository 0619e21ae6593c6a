"""Secrets: where they come from, and that they stay where they are."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from headwater import Flow, task
from headwater.core.errors import InvalidArgument
from headwater.sdk.client import Secret
from headwater.sdk.context.configuration import config, set_temporary_config
from headwater.sdk.context.context import context
from headwater.sdk.context.secrets import SecretNotFound
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.results import LocalResult
from headwater.sdk.states.state import State
from headwater.sdk.task_library.secrets import EnvVarSecret, PrefectSecret

CANARY = "canary-7f3a"


@pytest.fixture(autouse=True)
def configured(monkeypatch: pytest.MonkeyPatch, home: Path) -> Iterator[None]:
    home.mkdir(parents=True)
    (home / "config.toml").write_text('[context.secrets]\nIN_FILE = "from the file"\n')
    monkeypatch.setenv("HEADWATER__CONTEXT__SECRETS__Api_Key", CANARY)
    monkeypatch.setenv("HEADWATER__CONTEXT__SECRETS__ACCOUNT", '{"user": "ana", "cost": "5 $HOME"}')
    config.reload()
    yield
    config.reload()


def test_a_secret_is_found_in_the_file_and_in_the_environment_under_its_own_name() -> None:
    assert Secret("IN_FILE").get() == "from the file"
    assert Secret("Api_Key").get() == CANARY
    assert Secret("ACCOUNT").get() == {"user": "ana", "cost": "5 $HOME"}
    assert (Secret("ACCOUNT").exists(), Secret("api_key").exists()) == (True, False)


def test_a_secret_that_is_not_there_says_how_to_give_it() -> None:
    with pytest.raises(SecretNotFound, match="No secret 'NONE' is configured") as caught:
        Secret("NONE").get()

    assert "HEADWATER__CONTEXT__SECRETS__NONE" in str(caught.value.hint)
    assert isinstance(caught.value, KeyError)


def test_the_context_of_a_run_may_bring_secrets_of_its_own() -> None:
    @task
    def ask() -> str:
        return str(Secret("ONLY_HERE").get())

    with context(secrets={"ONLY_HERE": "x"}):
        assert Flow("f", tasks=[ask]).run().result[ask].result == "x"


def test_no_secret_becomes_part_of_a_flow() -> None:
    with Flow("f"), pytest.raises(InvalidArgument, match="while a flow is being built"):
        Secret("Api_Key").get()


def test_secret_tasks_give_their_values_to_other_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8080")

    @task
    def connect(key: str, port: int, none: None) -> str:
        return f"{key}:{port}:{none}"

    with Flow("f") as flow:
        connected = connect(PrefectSecret("Api_Key"), EnvVarSecret("PORT", cast=int), EnvVarSecret("UNSET"))
        missing = EnvVarSecret("UNSET", raise_if_missing=True)()

    state = flow.run()

    assert state.result[connected].result == f"{CANARY}:8080:None"
    assert "'UNSET' is configured" in str(state.result[missing].result)


def test_the_result_of_a_secret_task_cannot_be_kept() -> None:
    for settings in ({"result": LocalResult()}, {"checkpoint": True}, {"cache_for": 60}):
        with pytest.raises(InvalidTask, match="is never kept"):
            PrefectSecret("Api_Key", **settings)


def test_a_secret_reaches_no_file_no_line_no_metadata_and_no_serialised_state(
    home: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    @task
    def use(key: str) -> int:
        return len(key)

    with Flow("f", result=LocalResult()) as flow:
        secret = PrefectSecret("Api_Key")()
        used = use(secret)

    with set_temporary_config({"flows.checkpointing": True}), caplog.at_level(logging.DEBUG):
        state = flow.run()

    assert state.result[used].result == len(CANARY)
    states: list[State] = [state.result[secret], state.result[used]]
    told = json.dumps([flow.serialize(), *[each.serialize() for each in states]]) + repr(Secret("Api_Key")) + repr(secret)
    told += caplog.text + "".join(capsys.readouterr()) + repr(context) + repr(config)
    assert CANARY not in told
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any("results" in path.parts for path in files)
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]
