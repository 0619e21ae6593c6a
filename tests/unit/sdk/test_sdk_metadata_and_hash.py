"""The metadata of a flow, and the hash that tells whether it is the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from headwater import Flow, Parameter, Task, mapped, tags, task
from headwater.core.flows.events import EdgeSpec, ParameterSpec, StorageReference, TaskSpec
from headwater.sdk.language.fingerprint import fingerprint
from headwater.sdk.language.triggers import any_failed
from headwater.sdk.run_configs import LocalRun
from headwater.sdk.storage import Local

FLOW_FILE = '''\
"""A file with a flow."""
import enum, re
from datetime import timedelta
from functools import lru_cache
from headwater import Flow, Parameter, Task, task, tags

class Colour(enum.Enum):
    RED = 1

LIMITS = {"a": {3, 1, 2}, "b": frozenset({"x", "y", "z"}), "c": Colour.RED, "d": re.compile("a+")}

def helper(x):
    return x + 1

class Base:
    def base(self):
        return 1

class Load(Base, Task):
    def __init__(self, table, **kwargs):
        self.table = table
        super().__init__(**kwargs)
    def run(self, rows):
        return [row for row in rows if row in {"p", "q", "r"}]

@task(max_retries=2, retry_delay=timedelta(seconds=5), tags={"t", "s", "r"})
def extract(n):
    def inner(y):
        return helper(y) + LIMITS["a"].__len__()
    return [inner(i) for i in range(n)]

with Flow("hashed") as flow:
    p = Parameter("p", default=3)
    rows = extract(p)
    with tags("z", "y", "x"):
        Load("table")(rows, upstream_tasks={extract(1), extract(2), p})
'''


def hash_in_a_fresh_process(text: str, tmp_path: Path, seed: str = "0", name: str = "flow_file.py") -> str:
    file = tmp_path / name
    file.write_text(text + "\nprint(flow.serialized_hash())\n")
    done = subprocess.run(
        [sys.executable, str(file)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_the_hash_is_the_same_in_every_process(tmp_path: Path) -> None:
    hashes = {hash_in_a_fresh_process(FLOW_FILE, tmp_path, seed) for seed in ("0", "1", "31337")}

    assert len(hashes) == 1
    assert len(hashes.pop()) == 64


def test_the_hash_is_the_same_wherever_the_file_lies_and_however_it_is_loaded(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    loaded = "import sys; from headwater.storage.loading import flows_in_file; print(flows_in_file(sys.argv[1])[0].serialized_hash())"

    first = hash_in_a_fresh_process(FLOW_FILE, tmp_path)
    second = hash_in_a_fresh_process(FLOW_FILE, elsewhere, name="other_name.py")
    third = subprocess.run(
        [sys.executable, "-c", loaded, str(tmp_path / "flow_file.py")], capture_output=True, text=True, check=True, timeout=60
    )

    assert first == second == third.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return x + 1", "return x + 2"),
        ("helper(y) +", "helper(y) -"),
        ("{3, 1, 2}", "{3, 1, 4}"),
        ('{"p", "q", "r"}', '{"p", "q"}'),
        ("def base(self):\n        return 1", "def base(self):\n        return 2"),
        ('Load("table")', 'Load("other")'),
        ("default=3", "default=0"),
        ("extract(1)", "extract(5)"),
        ("seconds=5", "seconds=6"),
        ('Flow("hashed")', 'Flow("renamed")'),
        ("RED = 1", "RED = 1\n    BLUE = 2\nLIMITS_CHANGED = 1\nclass Colour2(enum.Enum):\n    RED = 1"),
        ("range(n)", "range(n + 0)"),
    ],
)
def test_the_hash_changes_with_code_values_and_settings(tmp_path: Path, old: str, new: str) -> None:
    assert old in FLOW_FILE
    before = hash_in_a_fresh_process(FLOW_FILE, tmp_path)
    after = hash_in_a_fresh_process(FLOW_FILE.replace(old, new), tmp_path)

    # A new member of an enum that nothing uses changes nothing.
    assert (before == after) == old.startswith("RED")


def test_the_hash_stays_when_only_text_around_the_code_changes(tmp_path: Path) -> None:
    changed = FLOW_FILE.replace("def helper(x):", "# a comment\n\n\ndef unrelated():\n    return 0\n\n\ndef helper(x):").replace(
        "    return x + 1", "    # says why\n    return x + 1"
    )

    assert hash_in_a_fresh_process(changed, tmp_path) == hash_in_a_fresh_process(FLOW_FILE, tmp_path)


def test_registering_with_the_hash_sees_an_edited_body() -> None:
    def flow_of(function: Any) -> Flow:
        return Flow("f", tasks=[task(function, name="t")])

    assert flow_of(lambda: 1).serialized_hash() == flow_of(lambda: 1).serialized_hash()
    assert flow_of(lambda: 1).serialized_hash() != flow_of(lambda: 2).serialized_hash()


def test_storing_a_flow_does_not_change_its_hash() -> None:
    flow = Flow("f", tasks=[task(lambda: 1, name="t")], storage=Local())

    assert flow.serialized_hash() == flow.serialized_hash(build=True) == flow.serialized_hash()


def test_code_that_reaches_itself_has_a_hash() -> None:
    def even(n: int) -> bool:
        return n == 0 or odd(n - 1)

    def odd(n: int) -> bool:
        return n != 0 and even(n - 1)

    assert fingerprint(even) != fingerprint(odd)
    assert fingerprint(even) == fingerprint(even)


def test_metadata_fits_the_events_of_the_log_and_holds_no_code() -> None:
    def marked() -> str:
        return "MARKER_IN_A_BODY"

    with Flow("f", run_config=LocalRun(env={"A": "b"}, working_dir="/tmp"), storage=Local()) as flow:
        parameter = Parameter("p", default=0)
        with tags("b", "a"):
            first = task(marked, name="marked", max_retries=1, retry_delay=timedelta(seconds=2), timeout=3)()
        last = task(lambda xs, y: xs, name="last", trigger=any_failed, nout=2)(mapped(first), y="CONSTANT_VALUE")
        last.set_upstream(parameter)
    data = flow.serialize(build=True)

    assert "MARKER_IN_A_BODY" not in json.dumps(data)
    assert "CONSTANT_VALUE" not in json.dumps(data)
    tasks = {each["slug"]: msgspec.convert(each, TaskSpec, strict=True) for each in data["tasks"]}
    assert tasks["marked-a-b-1"].tags == ("a", "b")
    assert (tasks["marked-a-b-1"].max_retries, tasks["marked-a-b-1"].retry_delay_seconds) == (1, 2.0)
    assert (tasks["marked-a-b-1"].timeout_seconds, tasks["marked-a-b-1"].reference) == (3.0, False)
    assert (tasks["last-1"].trigger, tasks["last-1"].mapped, tasks["last-1"].reference) == ("any_failed", True, True)
    assert tasks["last-1"].type == "headwater.tasks.core.function.FunctionTask"
    assert [EdgeSpec(**edge) for edge in data["edges"]] == [
        EdgeSpec("marked-a-b-1", "last-1", "xs", mapped=True),
        EdgeSpec("p", "last-1"),
    ]
    assert [msgspec.convert(each, ParameterSpec) for each in data["parameters"]] == [ParameterSpec("p", default=0)]
    assert data["reference_tasks"] == ["last-1"]
    assert data["run_config"] == {"type": "LocalRun", "env": {"A": "b"}, "labels": [], "working_dir": "/tmp"}
    storage = msgspec.convert(data["storage"], StorageReference)
    assert (storage.type, storage.flow_name, storage.python_version) == ("Local", "f", f"3.{sys.version_info.minor}")
    assert len(storage.sha256 or "") == 64


def test_metadata_is_returned_without_storing_anything(home: Path) -> None:
    data = Flow("f", tasks=[Task(name="t")]).serialize()

    assert data["storage"] is None
    assert data["environment"]["python_version"].startswith("3.")
    assert not home.exists()
