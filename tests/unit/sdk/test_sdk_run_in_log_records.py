"""Log records tell of the run they were made in, and the configuration is reached through the context, as in Prefect."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, context, task
from headwater.core.errors import SettingsError
from headwater.sdk.context.configuration import config, load_configuration, set_temporary_config
from headwater.sdk.context.log_records import ATTRIBUTES
from headwater.sdk.context.logging import LineFormatter, configure_extra_loggers, get_logger, temporary_logger_config
from headwater.sdk.context.secrets import Secret
from headwater.sdk.executors import LocalExecutor, ProcessExecutor, ThreadExecutor


class Kept(logging.Handler):
    """Keeps the records it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def kept() -> Iterator[Kept]:
    handler = Kept()
    logger = get_logger()
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.mark.parametrize("executor", [LocalExecutor(), ThreadExecutor(2), ProcessExecutor(1)])
def test_a_task_s_lines_tell_its_flow_and_task(kept: Kept, executor: Any) -> None:
    with Flow("etl", executor=executor) as flow:
        task(lambda: context.logger.info("working"), name="load")()

    flow.run()

    (line,) = [record for record in kept.records if record.getMessage() == "working"]
    assert (line.flow_name, line.task_name, line.task_slug) == ("etl", "load", "load-1")  # type: ignore[attr-defined]
    assert len(line.flow_run_id) == 36  # type: ignore[attr-defined]


def test_records_have_what_the_context_has_and_no_more(kept: Kept) -> None:
    get_logger("before").info("outside")
    with context(flow_run_id="r", flow_name="", task_slug="s"):
        get_logger("x").info("inside")
        logging.getLogger("headwater.of.another").warning("inside too")

    outside, inside, too = kept.records
    assert [name for name in ATTRIBUTES if hasattr(outside, name)] == []
    for record in (inside, too):
        assert {name: getattr(record, name) for name in ATTRIBUTES if hasattr(record, name)} == {"flow_run_id": "r", "task_slug": "s"}


@pytest.mark.parametrize("named", [["trace_id", "foo"], "['trace_id', 'foo']"])
def test_the_configuration_names_further_attributes(kept: Kept, named: Any, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text(
        f"[logging]\nlog_attributes = {named!r}\n" if isinstance(named, list) else f'[logging]\nlog_attributes = "{named}"\n'
    )
    config.reload()

    with context(trace_id="ID"):
        get_logger("x").info("inside")

    assert (kept.records[0].trace_id, kept.records[0].foo) == ("ID", None)  # type: ignore[attr-defined]


def test_a_format_may_name_what_only_records_of_runs_have() -> None:
    formatter = LineFormatter("%(task_slug)s %(message)s", defaults=dict.fromkeys(ATTRIBUTES))
    record = logging.LogRecord("x", logging.INFO, "file", 1, "text", (), None)

    assert formatter.format(record) == "None text"
    record.task_slug = "load-1"
    assert formatter.format(record) == "load-1 text"


def test_the_configuration_is_in_the_context_also_outside_of_runs(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('[context]\ncolor = "blue"\nshapes = {round = 1}\n[context.secrets]\nKEY = "s"\n')
    config.reload()

    assert context.config.logging.level == "INFO"
    assert (context.color, context.shapes, context.secrets, context["secrets"]) == ("blue", {"round": 1}, {"KEY": "s"}, {"KEY": "s"})
    assert "color" in context
    with context(color="red"):
        assert context.color == "red"
        assert context.secrets == {"KEY": "s"}
    assert context.color == "blue"


def test_configuration_in_a_block_is_put_over_that_of_the_process() -> None:
    with context(config={"logging": {"x": 1}, "own": {"y": 2}}):
        assert (context.config.logging.x, context.config.logging.level, context.config.own.y) == (1, "INFO", 2)
        with context({"config": {"own": {"z": 3}}}):
            assert (context.config.own.y, context.config.own.z) == (2, 3)

    assert "x" not in context.config.logging
    assert "own" not in config


def test_values_refer_to_values_that_refer_to_values(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text(
        """
        [general]
        x = 1
        y = "hi"
        number = "7.5"
        list = "['a', 'b']"
        [general.nested]
        x = "${general.x}"
        text = "${general.nested.x} + 1"
        last = "${general.nested.text}"
        [interpolation]
        key = "x"
        value = "${general.nested.${interpolation.key}}"
        path = "${home_dir}/data"
        folder = "~/data"
        variable = "$NAME"
        no_variable = "a$NAMEb"
        """
    )

    read = load_configuration({"HEADWATER_HOME": str(home), "NAME": "10", "HEADWATER__FLAG__ON": "TRUE"})

    assert read["general"]["nested"] == {"x": 1, "text": "1 + 1", "last": "1 + 1"}
    assert (read["general"]["number"], read["general"]["list"]) == (7.5, ["a", "b"])
    assert read["interpolation"] == {
        "key": "x",
        "value": 1,
        "path": f"{home}/data",
        "folder": str(Path("~/data").expanduser()),
        "variable": 10,
        "no_variable": "a$NAMEb",
    }
    assert read["flag"] == {"on": True}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[a]\nx = "${a.missing}"', "not there"),
        ('[a]\nx = "${a.y}"\ny = "${a.x}"', "in a circle"),
        ("[a.keys]\nx = 1", "'keys'"),
        ("[a]\nto_dict = 1", "'to_dict'"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(home: Path, text: str, words: str) -> None:
    home.mkdir()
    (home / "config.toml").write_text(text)
    config.reload()

    with pytest.raises(SettingsError, match=words):
        config["a"]


def test_a_copy_of_the_configuration_is_changed_alone() -> None:
    changed = config.copy()
    changed.logging.level = "DEBUG"
    changed.tasks.new = 1

    assert config.logging.level == "INFO"
    assert "new" not in config.tasks


def test_a_secret_is_had_unless_a_flow_is_being_built() -> None:
    with context(secrets={"KEY": "s"}, flow="a text under this name"):
        assert Secret("KEY").get() == "s"
    with context(secrets={"KEY": "s"}), Flow("f"), pytest.raises(ValueError, match="being built"):
        Secret("KEY").get()
    with set_temporary_config({"context.secrets.KEY": '{"x": 42}'}):
        assert Secret("KEY").get() == {"x": 42}
    with pytest.raises(ValueError, match="configured here"):
        Secret("KEY").get()


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_level_and_form_of_lines_are_changed_for_a_block(capsys: pytest.CaptureFixture[str], ends: str) -> None:
    logger = get_logger("x")
    before = get_logger().level

    with suppress(ValueError), temporary_logger_config(logging.CRITICAL, "%(asctime)s %(task_slug)s %(message)s", "at"):
        logger.info("hidden")
        logger.critical("shown")
        if ends == "badly":
            raise ValueError
    logger.info("after")

    assert get_logger().level == before
    first, last = capsys.readouterr().out.splitlines()
    assert first == "at None shown"
    assert last.endswith("INFO - headwater.x | after")


def test_one_extra_logger_may_be_named_as_a_text(kept: Kept) -> None:
    with set_temporary_config({"logging.extra_loggers": "a_library"}):
        configure_extra_loggers()
    logger = logging.getLogger("a_library")

    logger.warning("of the library")

    assert [record.getMessage() for record in kept.records] == ["of the library"]
    logger.handlers = []
