"""The environment of a run: who may say what, and which processes can be forked from a warm one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from headwater.agents.attempt_spec import AttemptSpec
from headwater.agents.errors import CannotLaunch
from headwater.agents.local.environment import agent_environment, needs_cold_start, require_local, run_environment, working_directory
from headwater.core.errors import SettingsError

OWN = {"PATH": "/bin", "HEADWATER_LOG_LEVEL": "INFO", "PYTHONPATH": "/inherited", "WHO": "own"}


def test_each_source_is_stronger_than_the_ones_before() -> None:
    shared = agent_environment(OWN, log_level="debug", import_paths=["/code"], extra={"WHO": "agent", "ONLY_AGENT": "1"})
    run = run_environment(shared, {"env": {"WHO": "run", "HEADWATER_NATS_URL": "elsewhere"}}, {"HEADWATER_NATS_URL": "here"})

    assert shared["WHO"] == "agent"
    assert run == {
        "PATH": "/bin",
        "HEADWATER_LOG_LEVEL": "DEBUG",
        "PYTHONPATH": f"/code{os.pathsep}/inherited",
        "ONLY_AGENT": "1",
        "WHO": "run",
        "HEADWATER_NATS_URL": "here",
    }


def test_a_variable_that_is_none_in_the_run_config_is_not_in_the_environment() -> None:
    run = run_environment(OWN, {"env": {"WHO": None, "UNKNOWN": None, "PATH": "/other"}}, {})

    assert run == {**{name: value for name, value in OWN.items() if name != "WHO"}, "PATH": "/other"}


def test_options_of_the_agent_are_stronger_than_its_log_level_and_import_paths() -> None:
    shared = agent_environment(
        OWN, log_level="debug", import_paths=["/code"], extra={"PYTHONPATH": "/mine", "HEADWATER_LOG_LEVEL": "ERROR"}
    )

    assert (shared["PYTHONPATH"], shared["HEADWATER_LOG_LEVEL"]) == ("/mine", "ERROR")


def test_without_options_an_agent_shares_what_it_has() -> None:
    assert agent_environment(OWN) == OWN


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHASHSEED", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "MALLOC_ARENA_MAX"])
def test_variables_that_the_interpreter_reads_at_its_start_demand_a_new_one(name: str) -> None:
    assert needs_cold_start({**OWN, name: "other"}, OWN)
    assert needs_cold_start(OWN, {**OWN, name: "other"})
    assert not needs_cold_start({**OWN, name: "same"}, {**OWN, name: "same"})


@pytest.mark.parametrize("name", ["PATH", "GREETING", "HEADWATER_LOG_LEVEL", "TZ", "HOME", "OMP_NUM_THREADS"])
def test_other_variables_do_not(name: str) -> None:
    assert not needs_cold_start({**OWN, name: "other"}, OWN)


@pytest.mark.parametrize("env", [{"A=B": "1"}, {"": "1"}, {"A": "nul\0"}, ["A=1"]])
def test_a_run_config_whose_variables_cannot_be_is_refused(env: object) -> None:
    with pytest.raises(CannotLaunch):
        run_environment(OWN, {"env": env}, {})


def test_a_run_starts_in_the_agents_directory_or_where_its_run_config_says(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()

    assert working_directory({}, tmp_path) == tmp_path
    assert working_directory({"working_dir": None}, tmp_path) == tmp_path
    assert working_directory({"working_dir": "inner"}, tmp_path) == tmp_path / "inner"
    assert working_directory({"working_dir": str(tmp_path / "inner")}, Path("/")) == tmp_path / "inner"
    with pytest.raises(CannotLaunch, match="does not exist"):
        working_directory({"working_dir": "nowhere"}, tmp_path)


def test_a_local_agent_takes_universal_and_local_run_configs_only() -> None:
    for run_config in ({}, {"type": "UniversalRun"}, {"type": "LocalRun"}):
        require_local(run_config)
    with pytest.raises(CannotLaunch, match="KubernetesRun"):
        require_local({"type": "KubernetesRun"})


def test_an_order_survives_its_journey_through_the_environment() -> None:
    order = AttemptSpec(run_id="r-1", attempt=3, nats_url="nats://somewhere:4222", key="secret", show_logs=True)

    assert AttemptSpec.from_environment(order.environment()) == order


def test_a_process_that_no_agent_started_says_so() -> None:
    with pytest.raises(SettingsError, match="no agent started it"):
        AttemptSpec.from_environment({})
