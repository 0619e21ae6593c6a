"""What `import headwater` gives, and what it does not cost."""

from __future__ import annotations

import subprocess
import sys

import pytest

import headwater
from headwater.engine.state import State
from headwater.utilities.context import Context


def test_every_public_name_is_there() -> None:
    for name in headwater.__all__:
        assert getattr(headwater, name) is not None
        assert name in dir(headwater)


def test_the_context_is_the_object_and_not_a_module() -> None:
    assert isinstance(headwater.context, Context)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = headwater.nonsense  # type: ignore[attr-defined]


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {code}; print('\\n'.join(sys.modules))"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(done.stdout.split())


def test_importing_headwater_loads_no_room() -> None:
    loaded = loaded_by("import headwater")

    at_the_top = {"headwater", "headwater.old_path_finder", "headwater.old_paths", "headwater.outside"}
    assert {name for name in loaded if name.startswith("headwater")} == at_the_top
    assert not loaded & {"asyncio", "datetime", "importlib.abc", "importlib.metadata", "inspect", "json", "logging", "pathlib"}


@pytest.mark.parametrize(
    "chain",
    [
        "headwater.triggers.all_failed",
        "headwater.engine.signals.SKIP",
        "headwater.engine.state.Success",
        "headwater.engine.results.LocalResult",
        "headwater.executors.LocalDaskExecutor",
        "headwater.schedules.CronSchedule",
        "headwater.schedules.clocks.CronClock",
        "headwater.storage.Local",
        "headwater.run_configs.LocalRun",
        "headwater.utilities.logging.get_logger",
        "headwater.utilities.notifications.slack_notifier",
        "headwater.tasks.core.parameter.Parameter",
        "headwater.tasks.control_flow.switch",
        "headwater.tasks.secrets.PrefectSecret",
        "headwater.tasks.headwater.create_flow_run",
        "headwater.client.Secret",
        "headwater.backend.FlowRunView",
        "headwater.core.Flow",
    ],
)
def test_one_import_gives_every_submodule_that_people_reach(chain: str) -> None:
    assert loaded_by(f"import headwater; {chain}")


def test_a_notebook_completes_submodules_that_are_not_loaded_yet() -> None:
    assert {"engine", "executors", "run_configs", "schedules", "storage", "triggers"} <= set(dir(headwater))


def test_reaching_one_submodule_loads_no_other() -> None:
    loaded = loaded_by("import headwater; headwater.engine.signals.SKIP")

    assert not loaded & {
        "headwater.sdk.client",
        "headwater.sdk.backend",
        "headwater.sdk.executors",
        "headwater.sdk.language.flow",
        "asyncio",
        "nats",
        "msgspec",
    }


def test_the_flow_language_loads_neither_clients_nor_servers() -> None:
    loaded = loaded_by("from headwater import task, Flow, Parameter; import headwater; headwater.context.get('logger')")

    assert not loaded & {"asyncio", "nats", "asyncpg", "msgspec", "cloudpickle", "typer", "headwater.sdk.client", "headwater.agents"}


def test_the_import_paths_people_write_are_there() -> None:
    loaded = loaded_by(
        "import headwater.engine.state, headwater.engine.signals, headwater.engine.results, headwater.engine.serializers, "
        "headwater.engine.runner, headwater.executors, headwater.storage, headwater.run_configs, headwater.triggers, "
        "headwater.tasks.core.constants, headwater.tasks.core.collections, headwater.tasks.core.operators, "
        "headwater.tasks.core.function, headwater.utilities.tasks, headwater.utilities.edges, headwater.utilities.logging, "
        "headwater.utilities.configuration"
    )

    assert "sdk" not in loaded
    assert State.__module__ == "headwater.sdk.states.state"
