from __future__ import annotations

from pathlib import Path

import pytest

from headwater.core.errors import SettingsError
from headwater.core.program import settings
from headwater.core.program.settings import connection_settings, unknown_variables

SERVER_JSON = (
    '{"nats_url": "nats://127.0.0.1:5000", "http_url": "http://127.0.0.1:6000", "database_url": "postgresql://", "pid": 1, "version": "0"}'
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "server.json").write_text(SERVER_JSON)
    return tmp_path


def test_without_anything_the_address_is_the_usual_port_on_this_machine(tmp_path: Path) -> None:
    found = connection_settings(environment={"HEADWATER_HOME": str(tmp_path)})

    assert found.nats_url == "nats://127.0.0.1:4222"
    assert found.http_url == "http://127.0.0.1:8080"
    assert found.key is None


def test_the_running_server_of_the_home_is_found_by_its_file(home: Path) -> None:
    found = connection_settings(environment={"HEADWATER_HOME": str(home)})

    assert (found.nats_url, found.http_url) == ("nats://127.0.0.1:5000", "http://127.0.0.1:6000")


def test_the_environment_wins_over_the_file_and_an_argument_over_both(home: Path) -> None:
    environment = {"HEADWATER_HOME": str(home), "HEADWATER_NATS_URL": "nats://elsewhere:1", "HEADWATER_KEY": "k1"}

    assert connection_settings(environment=environment).nats_url == "nats://elsewhere:1"
    assert connection_settings("nats://here:2", key="k2", environment=environment).nats_url == "nats://here:2"
    assert connection_settings("nats://here:2", key="k2", environment=environment).key == "k2"


def test_the_web_address_of_another_server_is_not_taken_from_the_file(home: Path) -> None:
    assert connection_settings("nats://elsewhere:1", environment={"HEADWATER_HOME": str(home)}).http_url == "http://127.0.0.1:8080"


def test_a_home_that_is_named_means_the_server_of_that_home(home: Path) -> None:
    found = connection_settings(home=home, environment={"HEADWATER_NATS_URL": "nats://elsewhere:1"})

    assert found.nats_url == "nats://127.0.0.1:5000"


def test_an_empty_variable_is_as_good_as_none(tmp_path: Path) -> None:
    environment = {"HEADWATER_HOME": str(tmp_path), "HEADWATER_NATS_URL": "  ", "HEADWATER_KEY": ""}

    assert connection_settings(environment=environment).nats_url == settings.DEFAULT_NATS_URL
    assert connection_settings(environment=environment).key is None


@pytest.mark.parametrize(
    ("setting", "text"),
    [(settings.LOG_LEVEL, "LOUD"), (settings.LOG_FORMAT, "xml"), (settings.TRACEBACK_SOURCE, "perhaps")],
)
def test_a_value_that_cannot_be_is_refused_with_the_name_of_its_variable(setting: settings.Setting[object], text: str) -> None:
    with pytest.raises(SettingsError, match=setting.variable) as refusal:
        setting.value({setting.variable: text})

    assert refusal.value.hint is not None
    assert setting.form in refusal.value.hint


def test_levels_and_flags_are_read_whatever_their_case() -> None:
    assert settings.LOG_LEVEL.value({"HEADWATER_LOG_LEVEL": "warning"}) == "WARNING"
    assert settings.TRACEBACK_SOURCE.value({"HEADWATER_TRACEBACK_SOURCE": "Yes"}) is True
    assert settings.TRACEBACK_SOURCE.value({"HEADWATER_TRACEBACK_SOURCE": "0"}) is False


def test_a_misspelt_variable_is_noticed_and_the_nearest_name_offered() -> None:
    environment = {
        "HEADWATER_NATS_ULR": "x",
        "HEADWATER_ZZZ": "x",
        "HEADWATER_KEY": "x",
        "HEADWATER__ENGINE__LEVEL": "x",
        "HEADWATER_INTERNAL_PIPE": "3",
        "PATH": "x",
    }

    assert unknown_variables(environment) == {"HEADWATER_NATS_ULR": "HEADWATER_NATS_URL", "HEADWATER_ZZZ": None}


def test_a_garbled_server_file_is_named(home: Path) -> None:
    (home / "server.json").write_text("{")

    with pytest.raises(SettingsError, match=r"server\.json"):
        connection_settings(home=home, environment={})


def test_every_setting_is_in_the_table() -> None:
    table = settings.settings_table()

    assert all(f"| `{setting.variable}` |" in table for setting in settings.SETTINGS)
    assert len(table.splitlines()) == len(settings.SETTINGS) + 2


def test_a_user_without_a_home_is_shown_which_variable_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.path.expanduser", lambda path: path)

    with pytest.raises(SettingsError, match="this user has none") as refusal:
        connection_settings(environment={})
    assert refusal.value.hint == "Set HEADWATER_HOME to a directory."
