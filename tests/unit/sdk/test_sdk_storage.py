"""Where flows' code lies, and what is said when it cannot be had."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headwater import Flow, task
from headwater.core.errors import InvalidArgument, InvalidName
from headwater.sdk.context.configuration import config, set_temporary_config
from headwater.sdk.language.errors import InvalidFlow
from headwater.sdk.results import LocalResult
from headwater.sdk.run_configs import LocalRun, UniversalRun, run_config_from
from headwater.sdk.states.state import State
from headwater.sdk.storage import Local, Module
from headwater.sdk.storage.errors import (
    FlowCodeChanged,
    FlowCodeMissing,
    FlowDiffersFromRegistered,
    FlowNotInCode,
    FlowNotLoadable,
    FlowNotStorable,
    PythonVersionDiffers,
    UnknownStorage,
)
from headwater.sdk.storage.loading import flows_in_file, load_flow
from headwater.sdk.storage.pickled import load_saved_flow

SCRIPT = """\
import json, sys
from dataclasses import dataclass
import beside
from headwater import Flow, Parameter, task
from headwater.storage import Local

@dataclass
class Row:
    value: int

def double(x):
    return Row(2 * x)

@task
def work(x):
    return double(x).value + beside.offset()

with Flow("stored", storage=Local()) as flow:
    result = work(Parameter("x", default=1))

if __name__ == "__main__":
    print(json.dumps(flow.serialize(build=True)["storage"]))
"""


@pytest.fixture
def reference(tmp_path: Path) -> dict[str, Any]:
    """What is known of a flow that a script of the user's stored, in a process of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "beside.py").write_text("def offset(): return 100\n")
    (folder / "script.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, env=os.environ, capture_output=True, text=True, check=True, timeout=60)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_a_stored_script_runs_in_another_process_after_the_script_changed(reference: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "project" / "script.py").write_text("raise SystemExit('never run again')")
    code = (
        "import json, sys; from headwater.storage.loading import load_flow; "
        "flow = load_flow(json.loads(sys.argv[1]), ['work-1', 'x']); "
        "print([state.result for state in flow.run(x=5).result.values()])"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(reference)], capture_output=True, text=True, check=True, timeout=60, cwd="/"
    )

    assert done.stdout.splitlines()[-1] in ("[5, 110]", "[110, 5]")


def test_code_in_a_module_of_the_users_is_frozen_too(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "from headwater import Flow, task\nfrom headwater.storage import Local\n"
        "def offset(): return 30\n"
        "@task\ndef work(): return 12 + offset()\n"
        "with Flow('frozen', storage=Local()) as flow: work()\n"
    )
    store = "import json; from mine import flow; print(json.dumps(flow.serialize(build=True)['storage']))"
    told = subprocess.run([sys.executable, "-c", store], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    (tmp_path / "mine.py").unlink()

    state = load_flow(json.loads(told.stdout)).run()

    assert [each.result for each in state.result.values()] == [42]


def test_modules_beside_a_loaded_file_are_found_again(tmp_path: Path) -> None:
    (tmp_path / "next_to_it.py").write_text("def number(): return 5\n")
    (tmp_path / "loaded.py").write_text(
        "import next_to_it\nfrom headwater import Flow, task\n"
        "@task\ndef work(): return next_to_it.number()\n"
        "flow = Flow('loaded', tasks=[work])\n"
    )

    (flow,) = flows_in_file(tmp_path / "loaded.py")
    flow.storage = Local()

    assert flow.serialize(build=True)["storage"]["options"] == {"import_paths": [str(tmp_path)]}


def test_a_reference_holds_no_code(reference: dict[str, Any], home: Path) -> None:
    assert reference["type"] == "Local"
    assert Path(reference["location"]).parent == home / "flows" / "stored"
    assert "def " not in json.dumps(reference)


def test_a_missing_file_is_reported(reference: dict[str, Any]) -> None:
    Path(reference["location"]).unlink()

    with pytest.raises(FlowCodeMissing, match="'stored' is not there") as error:
        load_flow(reference)

    assert "register the flow again" in str(error.value.hint)


def test_a_changed_file_is_reported_and_not_loaded(reference: dict[str, Any]) -> None:
    Path(reference["location"]).write_bytes(b"cos\nsystem\n(S'false'\ntR.")

    with pytest.raises(FlowCodeChanged, match="was changed after it was registered"):
        load_flow(reference)


def test_another_python_is_reported_before_anything_is_loaded(reference: dict[str, Any]) -> None:
    with pytest.raises(PythonVersionDiffers, match="stored by Python 3\\.9, and this is Python 3"):
        load_flow({**reference, "python_version": "3.9"})


def test_other_tasks_than_the_registered_ones_are_reported(reference: dict[str, Any]) -> None:
    with pytest.raises(FlowDiffersFromRegistered, match=r"no longer there: gone-1; there but not registered: work-1"):
        load_flow(reference, ["gone-1", "x"])


def test_a_module_that_is_not_here_is_named(reference: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "beside", raising=False)
    with pytest.raises(FlowNotLoadable, match="needs the module 'beside'") as error:
        load_flow({**reference, "options": {}})

    assert "--import-path" in str(error.value.hint)


def test_storage_of_an_unknown_kind_is_reported(reference: dict[str, Any]) -> None:
    with pytest.raises(UnknownStorage, match="'Carrier pigeon'"):
        load_flow({**reference, "type": "Carrier pigeon"})


def test_what_cannot_be_pickled_names_its_task() -> None:
    lock = threading.Lock()
    flow = Flow("f", tasks=[task(lambda: 1, name="fine"), task(lambda: lock, name="locked")], storage=Local())

    with pytest.raises(FlowNotStorable, match="because of task 'locked-1'"):
        flow.serialize(build=True)


@pytest.mark.parametrize("ask", [Flow.serialize, Flow.serialized_hash])
def test_a_flow_without_a_storage_is_not_stored(ask: Callable[..., Any]) -> None:
    with pytest.raises(InvalidFlow, match="no storage to be stored in"):
        ask(Flow("f"), build=True)


def test_each_storing_makes_a_file_of_its_own(home: Path) -> None:
    flow = Flow("Hello, World!", tasks=[task(lambda: 1, name="t")], storage=Local())

    first = flow.serialize(build=True)["storage"]["location"]
    second = flow.serialize(build=True)["storage"]["location"]

    assert first != second
    assert sorted(Path(first).parent.iterdir()) == sorted([Path(first), Path(second)])
    assert Path(first).parent == home / "flows" / "hello-world"


def test_a_script_is_run_again_each_time(tmp_path: Path, run: Callable[..., State]) -> None:
    script = tmp_path / "as_script.py"
    script.write_text("from headwater import Flow, task\nflow = Flow('s', tasks=[task(lambda: 1, name='t')])\n")
    storage = Local(path=script, stored_as_script=True)
    storage.add_flow(Flow("s"))
    reference = storage.build().reference("s")
    script.write_text("from headwater import Flow, task\nflow = Flow('s', tasks=[task(lambda: 2, name='t')])\n")

    state = run(load_flow(reference, ["t-1"]))

    assert [each.result for each in state.result.values()] == [2]
    assert (reference["stored_as_script"], reference["sha256"]) == (True, None)


def test_a_script_without_the_flow_says_which_it_has(tmp_path: Path) -> None:
    script = tmp_path / "other.py"
    script.write_text("from headwater import Flow\nflow = Flow('other')\n")

    with pytest.raises(FlowNotInCode, match="no flow named 's'; it holds 'other'"):
        Local(path=script, stored_as_script=True).get_flow("s")


def test_a_module_is_imported_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "flows_of_mine.py").write_text("from headwater import Flow\na, b = Flow('a'), Flow('b')\n")
    monkeypatch.syspath_prepend(tmp_path)
    storage = Module("flows_of_mine")
    storage.add_flow(Flow("b"))

    assert load_flow(storage.build().reference("b")).name == "b"
    with pytest.raises(FlowCodeMissing, match="module"):
        Module("no_such_module").get_flow("b")


def test_what_was_stored_stays_as_it_is_when_another_flow_joins_the_storage(tmp_path: Path) -> None:
    storage = Local(tmp_path)
    first, second = Flow("first", tasks=[task(lambda: 1, name="t")]), Flow("second")
    storage.add_flow(first)
    reference = storage.build().reference("first")
    first.add_task(task(lambda: 2, name="later"))

    storage.add_flow(second)
    storage.build()

    assert len(load_flow(reference).tasks) == 1
    assert load_flow(storage.reference("second")).name == "second"


def test_a_script_needs_its_path() -> None:
    with pytest.raises(InvalidArgument, match="needs to know the script"):
        Local(stored_as_script=True)


def test_the_host_name_is_a_label_unless_it_is_declined(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Local().labels == [socket.gethostname()]
    assert Local(labels=["a"], add_default_labels=False).labels == ["a"]
    monkeypatch.setenv("HEADWATER__FLOWS__DEFAULTS__STORAGE__ADD_DEFAULT_LABELS", "false")
    config.reload()
    assert Local().labels == []


def test_a_flow_can_be_saved_and_loaded_by_name_or_path(tmp_path: Path) -> None:
    flow = Flow("kept", tasks=[task(lambda: 7, name="t")])

    assert Flow.load(flow.save(tmp_path / "kept.flow")).name == "kept"
    flow.save()
    assert load_saved_flow("kept").slugs
    with pytest.raises(FlowCodeMissing):
        Flow.load("never kept")


def test_the_configuration_says_where_flows_and_values_are_kept(tmp_path: Path) -> None:
    flow = Flow("kept", tasks=[task(lambda: 7, name="t")])
    with set_temporary_config({"home_dir": str(tmp_path / "chosen")}):
        saved = flow.save()
        stored = Local().add_flow(flow)
        written = LocalResult(location="seven").write(7).location

    assert saved == str(tmp_path / "chosen/flows/kept.flow")
    assert stored.startswith(str(tmp_path / "chosen/flows/kept/"))
    assert written == str(tmp_path / "chosen/results/seven")


def test_run_configs_survive_serialisation() -> None:
    for run_config in (UniversalRun(labels=["b", "a"]), LocalRun(env={"A": "1"}, working_dir="/tmp", labels=["a"])):
        assert run_config_from(json.loads(json.dumps(run_config.serialize()))) == run_config
    assert run_config_from(None) == UniversalRun()
    with pytest.raises(InvalidArgument, match="'Rocket'"):
        run_config_from({"type": "Rocket"})
    with pytest.raises(InvalidArgument, match="texts"):
        UniversalRun(env={"A": [1]})  # type: ignore[dict-item]
    with pytest.raises(InvalidName):
        UniversalRun(labels=[""])


def test_storages_know_their_name_logger_and_secrets(tmp_path: Path) -> None:
    storage = Local(str(tmp_path), secrets=["AUTH"], labels=["b", "a"], add_default_labels=False)
    storage.add_flow(Flow("f"))

    assert (storage.name, storage.logger.name, storage.secrets) == ("Local", "headwater.Local", ["AUTH"])
    told = storage.serialize()
    assert (told["type"], told["labels"], told["secrets"], list(told["flows"])) == ("Local", ["a", "b"], ["AUTH"], ["f"])
    assert json.loads(json.dumps(told)) == told
    assert Module("json", secrets=["AUTH"]).secrets == ["AUTH"]
    with pytest.raises(InvalidArgument, match="is one text"):
        Local(secrets="AUTH")


def test_a_folder_of_another_machine_stays_as_it_is_written() -> None:
    assert Local("~/flows", validate=False).directory == "~/flows"
    assert Local("~/flows").directory == str(Path("~/flows").expanduser())


def test_a_flow_that_was_added_is_had_before_it_is_stored(tmp_path: Path) -> None:
    storage = Local(str(tmp_path))
    storage.add_flow(Flow("f", tasks=[task(lambda: 1, name="t")]))

    assert [each.name for each in storage.get_flow("f").tasks] == ["t"]
    with pytest.raises(ValueError, match="not there"):
        storage.get_flow("another")


def test_a_storage_that_was_pickled_before_it_knew_secrets_has_none(tmp_path: Path) -> None:
    storage = Local(str(tmp_path))
    state = {name: value for name, value in storage.__getstate__().items() if name != "secrets"}
    again = object.__new__(Local)
    again.__dict__.update(state)

    assert (again.secrets, again.serialize()["secrets"]) == ([], [])
