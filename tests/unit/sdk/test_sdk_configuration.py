"""The configuration: where its values come from, and what they change."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import headwater
from headwater import Flow, Task, task
from headwater.core.errors import SettingsError
from headwater.sdk.context.configuration import config, load_configuration, set_temporary_config
from headwater.sdk.context.context import context
from headwater.sdk.results import LocalResult
from headwater.sdk.storage import Local


@pytest.fixture(autouse=True)
def read_again() -> Iterator[None]:
    config.reload()
    yield
    config.reload()


def write(home: Path, text: str) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / "config.toml").write_text(text)


def test_environment_wins_over_file_and_file_over_defaults(home: Path) -> None:
    write(home, '[flows]\ncheckpointing = true\n[logging]\nlevel = "WARNING"\n[mine]\nx = [1, 2]\n')

    values = load_configuration({"HEADWATER_HOME": str(home), "HEADWATER__LOGGING__LEVEL": "DEBUG"})

    assert values["flows"]["checkpointing"] is True
    assert values["logging"]["level"] == "DEBUG"
    assert values["mine"] == {"x": [1, 2]}
    assert values["tasks"]["defaults"]["max_retries"] == 0


def test_variables_are_python_values_where_they_can_be() -> None:
    values = load_configuration(
        {
            "HEADWATER__A__INT": "3",
            "HEADWATER__A__YES": "true",
            "HEADWATER__A__LIST": "['a', 'b']",
            "HEADWATER__A__TEXT": "just text",
            "HEADWATER__A__B__DEEP": "1.5",
        }
    )

    assert values["a"] == {"int": 3, "yes": True, "list": ["a", "b"], "text": "just text", "b": {"deep": 1.5}}


def test_values_refer_to_each_other_and_to_variables(home: Path) -> None:
    write(home, '[paths]\nroot = "$DATA/x"\n[jobs]\ninput = "${paths.root}/in"\ncount = "$COUNT"\nprice = "5 $"\n')

    values = load_configuration({"HEADWATER__USER_CONFIG_PATH": str(home / "config.toml"), "DATA": "/data", "COUNT": "7"})

    assert values["jobs"] == {"input": "/data/x/in", "count": 7, "price": "5 $"}


def test_a_file_that_cannot_be_used_is_named(home: Path) -> None:
    write(home, "[flows\n")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_configuration({"HEADWATER__USER_CONFIG_PATH": str(home / "config.toml")})
    with pytest.raises(SettingsError, match="which is not there"):
        load_configuration({"HEADWATER__USER_CONFIG_PATH": "/no/such/file"})
    write(home, '[a]\nb = "${c.d}"\n')
    with pytest.raises(SettingsError, match=r"refers to \$\{c.d\}"):
        load_configuration({"HEADWATER__USER_CONFIG_PATH": str(home / "config.toml")})


def test_keys_are_attributes_and_a_typing_error_is_answered() -> None:
    assert headwater.config is config
    assert config.flows.run_on_schedule is True
    assert config["flows"]["run_on_schedule"] is True
    with pytest.raises(AttributeError, match="Did you mean 'checkpointing'"):
        _ = config.flows.checkpoint
    assert pickle.loads(pickle.dumps(config)) is config


def test_values_can_be_set_for_a_while() -> None:
    with set_temporary_config({"flows.checkpointing": True, "mine.own": 1}):
        assert (config.flows.checkpointing, config.mine.own) == (True, 1)

    assert config.flows.checkpointing is False
    assert "mine" not in config


def test_tasks_take_their_defaults_from_it() -> None:
    with set_temporary_config({"tasks.defaults.max_retries": 2, "tasks.defaults.retry_delay": 5, "tasks.defaults.timeout": 60}):
        plain, own = Task("plain"), Task("own", max_retries=1)

    assert (plain.max_retries, plain.retry_delay, plain.timeout) == (2, timedelta(seconds=5), 60)
    assert (own.max_retries, own.retry_delay) == (1, timedelta(seconds=5))


def test_checkpointing_writes_the_results_of_local_runs(tmp_path: Path) -> None:
    @task(result=LocalResult(tmp_path, location="{task_name}.out"))
    def answer() -> int:
        return 42

    flow = Flow("f", tasks=[answer])
    flow.run()
    assert not (tmp_path / "answer.out").exists()

    with set_temporary_config({"flows.checkpointing": True}):
        flow.run()

    assert LocalResult(tmp_path).read("answer.out").value == 42


def test_the_context_of_a_run_holds_what_is_configured_for_it() -> None:
    seen: dict[str, Any] = {}

    @task
    def look() -> None:
        seen.update(color=context.color, config=context.config, secrets=context.secrets)

    with set_temporary_config({"context.color": "blue", "context.secrets.KEY": "s"}):
        Flow("f", tasks=[look]).run()

    assert seen == {"color": "blue", "config": config, "secrets": {"KEY": "s"}}


def test_storage_brings_its_labels_unless_it_is_configured_not_to() -> None:
    assert Local().labels
    with set_temporary_config({"flows.defaults.storage.add_default_labels": False}):
        assert Local().labels == []


def test_extra_loggers_write_where_headwater_does(capsys: pytest.CaptureFixture[str]) -> None:
    from headwater.sdk.context.logging import configure_extra_loggers

    with set_temporary_config({"logging.extra_loggers": ["some.library"]}):
        configure_extra_loggers()
    library = logging.getLogger("some.library")
    try:
        library.info("Fetched a page.")
        assert "INFO - some.library | Fetched a page." in capsys.readouterr().out
    finally:
        library.handlers.clear()
        library.setLevel(logging.NOTSET)
