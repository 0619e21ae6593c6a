"""What a type checker sees of `import headwater`: every submodule with its types, and each misspelt name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import headwater

reveal_type(headwater.engine.signals.SKIP("no news").state)
reveal_type(headwater.triggers.all_failed({}))
reveal_type(headwater.utilities.logging.get_logger())
reveal_type(headwater.schedules.clocks.CronClock("0 6 * * *"))
reveal_type(headwater.tasks.secrets.PrefectSecret("name"))
reveal_type(headwater.tasks.core.parameter.Parameter("x"))
reveal_type(headwater.client.Secret("name"))
reveal_type(headwater.executors.LocalExecutor())
reveal_type(headwater.storage.Local())
reveal_type(headwater.run_configs.LocalRun())
reveal_type(headwater.backend.FlowRunView.from_flow_run_id("1"))
reveal_type(headwater.Flow("name"))
reveal_type(headwater.__version__)
"""
EXPECTED = [
    "headwater.sdk.states.base_state.State",
    "bool",
    "logging.Logger",
    "headwater.core.calendar.clocks.CronClock",
    "headwater.sdk.task_library.secrets.base.PrefectSecret",
    "headwater.sdk.language.parameter.Parameter",
    "headwater.sdk.context.secrets.Secret",
    "headwater.sdk.executors.local.LocalExecutor",
    "headwater.sdk.storage.local.Local",
    "headwater.sdk.run_configs.local.LocalRun",
    "headwater.sdk.backend.flow_run.FlowRunView",
    "headwater.sdk.language.flow.Flow",
    "str",
]
MISTAKES = [
    "from headwater import Flwo",
    "from headwater.engine import Flwo",
    "from headwater.engine.signals import SKIPP",
    "import headwater; headwater.Flwo",
    "import headwater; headwater.engine.signal",
    "import headwater; headwater.triggers.all_fialed",
    "import headwater; headwater.Flow(nmae='x')",
]


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Check all programs in one go, and return what mypy says of each file."""
    folder = tmp_path_factory.mktemp("typed")
    (folder / "typed.py").write_text(PROGRAM)
    for number, mistake in enumerate(MISTAKES):
        (folder / f"mistake_{number}.py").write_text(mistake + "\n")
    files = [str(path) for path in sorted(folder.iterdir())]
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(folder / "cache"), *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    said: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        place, _, rest = line.partition(":")
        said.setdefault(Path(place).stem, []).append(rest.partition(": ")[2])
    return said


def test_every_submodule_is_typed_after_one_import(checked: dict[str, list[str]]) -> None:
    assert checked["typed"] == [f'note: Revealed type is "{kind}"' for kind in EXPECTED]


@pytest.mark.parametrize("number", range(len(MISTAKES)), ids=MISTAKES)
def test_a_misspelt_name_is_a_type_error(number: int, checked: dict[str, list[str]]) -> None:
    assert [line for line in checked[f"mistake_{number}"] if "has no attribute" in line or "Unexpected keyword" in line]
