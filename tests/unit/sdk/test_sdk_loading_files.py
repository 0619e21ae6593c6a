"""Flows in files and modules, as the command line finds them."""

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from headwater.sdk.context.context import context
from headwater.sdk.states.state import Pending
from headwater.sdk.storage.errors import FlowCodeMissing, FlowNotLoadable
from headwater.sdk.storage.loading import flows_in_file, flows_in_module

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"


def written(folder: Path, text: str, name: str = "flows.py") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def test_the_tutorials_file_is_loaded_without_registering(capsys: pytest.CaptureFixture[str]) -> None:
    flows = flows_in_file(EXAMPLES / "hello_flow.py")

    assert [flow.name for flow in flows] == ["hello-flow"]
    assert "flow.register() of flow 'hello-flow' was ignored" in capsys.readouterr().out


def test_all_flows_are_found_once_and_in_order(tmp_path: Path) -> None:
    file = written(tmp_path, "from headwater import Flow\nb, a = Flow('b'), Flow('a')\nagain = b\n")

    assert [flow.name for flow in flows_in_file(file)] == ["b", "a"]


def test_running_and_starting_agents_does_nothing_while_loading(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        "from headwater import Flow, task\n"
        "flow = Flow('f', tasks=[task(lambda: 1 / 0, name='t')])\n"
        "state = flow.run()\n"
        "agent = flow.run_agent()\n"
        "registered = flow.register('p')\n"
        "flow.state = state\n",
    )

    (flow,) = flows_in_file(file)

    assert isinstance(flow.state, Pending)  # type: ignore[attr-defined]
    assert "loading_flow" not in context


def test_a_file_is_not_the_main_program_and_finds_its_neighbours(tmp_path: Path) -> None:
    written(tmp_path, "NAME = 'from beside'\n", "neighbour.py")
    file = written(tmp_path, "import neighbour\nfrom headwater import Flow\nflow = Flow(neighbour.NAME)\nassert __name__ != '__main__'\n")

    assert [flow.name for flow in flows_in_file(file)] == ["from beside"]


def test_two_files_of_one_name_do_not_get_into_each_others_way(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        written(
            tmp_path / folder,
            "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom headwater import Flow\n"
            f"@dataclass\nclass Row:\n    name: str\nflow = Flow(Row('{folder}').name)\n",
        )

    assert [flows_in_file(tmp_path / folder / "flows.py")[0].name for folder in ("a", "b")] == ["a", "b"]


def test_a_file_that_does_not_import_keeps_its_traceback(tmp_path: Path) -> None:
    file = written(tmp_path, "def broken():\n    return undefined_name\n\nbroken()\n")

    with pytest.raises(FlowNotLoadable, match=r"flows.py could not be imported: NameError") as error:
        flows_in_file(file)

    assert error.value.__cause__ is not None
    frames = traceback.extract_tb(error.value.__cause__.__traceback__)
    assert [(Path(frame.filename).name, frame.lineno) for frame in frames] == [("flows.py", 4), ("flows.py", 2)]
    assert not [name for name in sys.modules if name.startswith("headwater_flow_file_flows") and "broken" in vars(sys.modules[name])]


@pytest.mark.parametrize("text", ["import sys\nsys.exit(2)\n", "def (\n"])
def test_a_file_that_exits_or_is_not_python_is_reported(tmp_path: Path, text: str) -> None:
    with pytest.raises(FlowNotLoadable):
        flows_in_file(written(tmp_path, text))


def test_a_missing_file_or_module_is_reported(tmp_path: Path) -> None:
    with pytest.raises(FlowCodeMissing):
        flows_in_file(tmp_path / "nowhere.py")
    with pytest.raises(FlowCodeMissing):
        flows_in_module("nowhere.at_all")
    with pytest.raises(FlowNotLoadable, match="not a Python file"):
        flows_in_file(written(tmp_path, "x", "flow.txt"))


def test_a_module_that_lacks_another_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "import not_installed_anywhere\n", "module_of_mine.py")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(FlowNotLoadable, match="not_installed_anywhere"):
        flows_in_module("module_of_mine")


def test_a_file_of_a_package_imports_its_neighbours_as_python_m_lets_it(tmp_path: Path) -> None:
    package = tmp_path / "packed_flows"
    (package / "inner").mkdir(parents=True)
    written(package, "")
    for folder in (package, package / "inner"):
        written(folder, "", "__init__.py")
    written(package, "NAME = 'from above'\n", "names.py")
    file = written(
        package / "inner",
        "import packed_flows.names\nfrom headwater import Flow\nfrom ..names import NAME\n"
        "flow = Flow(NAME)\nassert packed_flows.names.NAME is NAME\n",
    )

    assert [flow.name for flow in flows_in_file(file)] == ["from above"]


def test_a_process_that_executes_the_script_again_for_its_functions_runs_no_flow(tmp_path: Path) -> None:
    # Without a guard: spawn executes the whole file in the new process.
    script = written(
        tmp_path,
        "import multiprocessing\n"
        "from headwater import Flow, task\n"
        "def triple(x): return 3 * x\n"
        "@task\n"
        "def work():\n"
        "    with multiprocessing.get_context('spawn').Pool(1) as pool:\n"
        "        return pool.apply_async(triple, (14,)).get(60)\n"
        "with Flow('unguarded') as flow: made = work()\n"
        "state = flow.run()\n"
        "print('made', state.result[made].result if state.result else None)\n",
    )

    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.count("Beginning Flow run") == 1
    assert done.stdout.splitlines()[-1] == "made 42"
    assert "flow.run() of flow 'unguarded' was ignored" in done.stdout
