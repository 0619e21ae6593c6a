"""A user without a home, or with one that cannot be written: what needs none works, and the rest says what to do."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headwater.core.program.user_paths import HomeUnavailable
from headwater.sdk.context.configuration import config, home_directory
from headwater.sdk.language.decorators import task
from headwater.sdk.language.flow import Flow
from headwater.sdk.results import LocalResult
from headwater.sdk.run_configs import LocalRun
from headwater.sdk.storage import Local

HOMES = ("none", "in no folder", "a file")


@pytest.fixture(params=HOMES)
def home(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """A home that is none, one that no user can make, not even root, or one that is a file."""
    for name in [name for name in os.environ if name.startswith("HEADWATER")]:
        monkeypatch.delenv(name)
    match request.param:
        case "none":
            without_home(monkeypatch)
        case "in no folder":
            monkeypatch.setenv("HOME", "/proc/nowhere")
        case "a file":
            (tmp_path / "file").write_text("")
            monkeypatch.setenv("HOME", str(tmp_path / "file"))
    config.reload()
    yield request.param
    monkeypatch.undo()
    config.reload()


def without_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a user of a container whom no file of users names."""

    def unknown(_: object) -> Any:
        raise KeyError("no such user")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)


@task
def one() -> int:
    return 1


def flow() -> Flow:
    return Flow("plain", tasks=[one])


WORKS: dict[str, Callable[[], object]] = {
    "flow.run()": lambda: flow().run().is_successful(),
    "the configuration": lambda: config.logging.level == "INFO",
    "home_dir": lambda: str(config.home_dir).endswith(".headwater"),
    "a result": lambda: LocalResult() is not None,
    "a storage": lambda: Local() is not None,
    "a folder of one's own": lambda: LocalResult(dir="/tmp").dir == "/tmp",
}
NEEDS_ONE: dict[str, Callable[[], object]] = {
    "flow.save()": lambda: flow().save(),
    "Local storage": lambda: Local().add_flow(flow()),
    "LocalResult.write": lambda: LocalResult().write(1),
}
NAMES_ONE: dict[str, Callable[[], object]] = {
    "LocalResult(dir=)": lambda: LocalResult(dir="~/x"),
    "Local(directory=)": lambda: Local(directory="~/x"),
    "LocalRun(working_dir=)": lambda: LocalRun(working_dir="~/x"),
    "Flow.load": lambda: Flow.load("~/x"),
    "the home itself": home_directory,
}


@pytest.mark.parametrize("what", WORKS)
def test_what_needs_no_home_works_without(what: str, home: str) -> None:
    assert WORKS[what]()


@pytest.mark.parametrize("what", NEEDS_ONE)
def test_what_needs_one_says_so(what: str, home: str) -> None:
    with pytest.raises(HomeUnavailable) as caught:
        NEEDS_ONE[what]()

    assert ("this user has none" if home == "none" else "cannot be written") in str(caught.value)
    assert (caught.value.hint or "").startswith("Set HEADWATER_HOME to a directory")
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize("what", NAMES_ONE)
def test_a_path_in_a_home_that_is_none_is_refused_with_a_sentence(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEADWATER_HOME", raising=False)
    without_home(monkeypatch)

    with pytest.raises(HomeUnavailable, match="names a home directory, and this user has none"):
        NAMES_ONE[what]()


def test_values_of_the_configuration_keep_a_home_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    from headwater.sdk.context.configuration import load_configuration

    monkeypatch.delenv("HEADWATER_HOME", raising=False)
    without_home(monkeypatch)

    values = load_configuration({"HEADWATER__MINE__FOLDER": "~/data", "HEADWATER__MINE__BESIDE": "${home_dir}/more"})
    assert values["mine"] == {"folder": "~/data", "beside": "~/.headwater/more"}
