"""Imports under the paths of Prefect 1: the same objects where they are here, and the reason where they are not."""

from __future__ import annotations

import importlib
import importlib.util
import pickle
import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest

import headwater
from headwater.old_path_finder import OldPathFinder
from headwater.old_paths import OLD_PATHS, Missing

MOVED = {path: place for path, place in OLD_PATHS.items() if isinstance(place, str)}
MISSING = {path: place for path, place in OLD_PATHS.items() if isinstance(place, Missing)}


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)


def found(path: str) -> object:
    module, _, name = path.partition(":")
    imported = importlib.import_module(f"headwater.{module}".rstrip("."))
    return getattr(imported, name) if name else imported


@pytest.mark.parametrize("path", MOVED)
def test_an_old_path_gives_the_very_object_of_the_new_place(path: str) -> None:
    assert found(path) is found(MOVED[path])


@pytest.mark.parametrize("path", MOVED)
def test_an_old_path_is_not_a_path_of_headwater(path: str) -> None:
    module, _, name = path.partition(":")
    if name and (spec := importlib.util.find_spec(f"headwater.{module}")) and spec.origin and spec.origin.endswith(".py"):
        assert name not in vars(importlib.import_module(f"headwater.{module}"))
    elif not name:
        assert not (Path(headwater.__file__).parent / f"{module.replace('.', '/')}.py").exists()
        assert not (Path(headwater.__file__).parent / module.replace(".", "/")).exists()


@pytest.mark.parametrize("path", MISSING)
def test_what_is_not_here_says_why_when_it_is_imported(path: str) -> None:
    module, _, name = path.partition(":")
    statements = [f"from headwater.{module} import {name}".replace(". ", " ")] if name else [f"import headwater.{module}"]
    if not name:
        parent, _, last = f"headwater.{module}".rpartition(".")
        statements += [f"from {parent} import {last}", f"from headwater.{module} import Anything", f"import headwater.{module}.anything"]

    for statement in statements:
        with pytest.raises(ImportError) as raised:
            exec(statement)

        assert str(raised.value).endswith(f" is not included. {MISSING[path].reason}"), statement


def test_each_reason_is_whole_sentences() -> None:
    assert [path for path, missing in MISSING.items() if not missing.reason.endswith(".") or not missing.reason[0].isupper()] == []


@pytest.mark.parametrize(
    "statement",
    [
        "import headwater.core.flow as f; assert f.Flow is headwater.Flow",
        "from headwater.core import Edge, Flow, Parameter, Task; assert Flow is headwater.Flow",
        "import headwater.core; assert headwater.core.Flow is headwater.Flow",
        "from headwater.core.edge import Edge; from headwater.core import Edge as other; assert Edge is other",
        "import headwater.engine.result, headwater.engine.results as r; assert headwater.engine.result.Result is r.Result",
        "from headwater.engine.results.s3_result import S3Result as a; from headwater.engine.results import S3Result as b; assert a is b",
        "import headwater.engine.executors.dask as d; import headwater.executors.dask as e; assert d is e",
        "from headwater.client.secrets import Secret; assert Secret is headwater.client.Secret",
        "from headwater.tasks.prefect.flow_run import StartFlowRun as a; assert a is headwater.tasks.headwater.StartFlowRun",
        "from headwater.exceptions import *; assert issubclass(ObjectNotFoundError, ClientError)",
        "assert headwater.exceptions.ClientError is headwater.core.errors.HeadwaterError",
        "assert headwater.engine.FlowRunner is headwater.engine.flow_runner.FlowRunner",
        "assert headwater.utilities.tasks.unmapped is headwater.unmapped",
        "from headwater.core.log.edge import read_commit",
        "import headwater.hello_world; assert headwater.hello_world.hello_flow.name == 'hello-world'",
    ],
)
def test_old_imports_work_in_a_fresh_process(statement: str) -> None:
    done = python(f"import headwater\n{statement}")

    assert (done.returncode, done.stderr) == (0, "")


def test_isinstance_agrees_whichever_path_the_class_came_from() -> None:
    from headwater.engine.result import Result  # type: ignore[import-not-found]
    from headwater.engine.results import LocalResult

    assert isinstance(LocalResult(), Result)


@pytest.mark.parametrize(
    ("path", "name"), [("headwater.core.flow", "Flow"), ("headwater.core", "Task"), ("headwater.engine.results.s3_result", "S3Result")]
)
def test_a_pickle_that_names_an_old_path_loads(path: str, name: str) -> None:
    done = python(f"import pickle; print(pickle.loads({f'c{path}{chr(10)}{name}{chr(10)}.'.encode()!r}).__name__)")

    assert done.stdout == f"{name}\n", done.stderr


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_a_class_from_an_old_path_is_pickled_under_its_home(dumps: object) -> None:
    from headwater.core.flow import Flow  # type: ignore[import-not-found]

    data: bytes = dumps(Flow)  # type: ignore[operator]

    assert b"headwater.sdk.language.flow" in data
    assert pickle.loads(data) is Flow


@pytest.mark.parametrize(
    "module", ["headwater.core.flow", "headwater.engine.executors.dask", "headwater.exceptions", "headwater.engine.signals"]
)
def test_find_spec_finds_old_paths(module: str) -> None:
    assert importlib.util.find_spec(module) is not None


@pytest.mark.parametrize("module", ["headwater.nonsense", "headwater.core.nonsense", "headwater.engine.executors.nonsense"])
def test_find_spec_finds_nothing_that_is_nowhere(module: str) -> None:
    assert importlib.util.find_spec(module) is None


def test_a_name_that_is_nowhere_is_refused_as_python_refuses_it() -> None:
    for statement in ("from headwater import Flwo", "from headwater.engine import Flwo", "from headwater.engine.result import Flwo"):
        with pytest.raises(ImportError, match="cannot import name 'Flwo'"):
            exec(statement)
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'headwater\.engine\.executors\.nonsense'"):
        importlib.import_module("headwater.engine.executors.nonsense")


def test_what_is_missing_is_not_an_attribute() -> None:
    assert not hasattr(headwater.tasks, "snowflake")
    assert not hasattr(headwater, "get_run_logger")
    with pytest.raises(AttributeError, match=r"not included\. Headwater has no tasks for services"):
        _ = headwater.tasks.snowflake  # type: ignore[attr-defined]


def test_modules_can_be_reloaded() -> None:
    code = """
import importlib, sys, headwater, headwater.core.flow as flow
importlib.reload(headwater)
importlib.reload(headwater.engine)
assert importlib.reload(flow) is sys.modules["headwater.graph.flow"]
import headwater.core.task
print([type(each).__name__ for each in sys.meta_path].count("OldPathFinder"), headwater.engine.signals.SKIP.__name__)
"""

    assert python(code).stdout == "1 SKIP\n"


def test_threads_that_import_at_once_get_the_same_module() -> None:
    code = f"""
import sys, threading
sys.setswitchinterval(1e-6)
import headwater
from importlib import import_module
paths = {[path for path in MOVED if ":" not in path][:12]!r}
start, got = threading.Barrier(8), []
def load():
    start.wait()
    got.append(tuple(id(import_module("headwater." + path)) for path in paths))
threads = [threading.Thread(target=load) for _ in range(8)]
[each.start() for each in threads]
[each.join() for each in threads]
print(len(got), len(set(got)))
"""
    done = python(code)

    assert done.stdout == "8 1\n", done.stderr


def test_a_module_runs_under_its_old_path() -> None:
    done = subprocess.run([sys.executable, "-m", "headwater.hello_world"], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stderr
    assert "Hello World" in done.stdout + done.stderr


def test_running_what_is_missing_says_why() -> None:
    done = subprocess.run([sys.executable, "-m", "headwater.tasks.snowflake"], capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode != 0
    assert "Headwater has no tasks for services" in done.stderr


def test_there_is_one_finder_and_it_passes_by_what_is_not_the_language() -> None:
    (finder,) = [each for each in sys.meta_path if isinstance(each, OldPathFinder)]

    assert finder.find_spec("json") is None
    assert finder.find_spec("headwater.server.nonsense") is None


def test_tools_that_look_at_modules_find_what_they_look_for() -> None:
    code = """
import inspect, pkgutil
from unittest import mock
import headwater, headwater.engine.signals as signals
assert inspect.getsourcefile(signals).endswith("signals.py") and "SKIP" in inspect.getsource(signals)
assert "class SKIP" in inspect.getsource(signals.SKIP)
assert pkgutil.resolve_name("headwater.core.flow:Flow") is headwater.Flow
with mock.patch("headwater.core.flow.Flow", 5):
    assert headwater.graph.flow.Flow == 5
"""
    done = python(code)

    assert (done.returncode, done.stderr) == (0, "")
