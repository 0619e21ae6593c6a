"""Tasks that start processes of their own in `flow.run()`, in processes of an executor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from headwater import Flow, task
from headwater.executors import ProcessExecutor
from beside_the_script import add_one

class Point:
    def __init__(self, x):
        self.x = x

def answer(x):
    return Point(add_one(3 * x))

@task
def in_processes(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool:
        found = pool.submit(answer, 2).result(timeout=60)
        return isinstance(found, Point), found.x, pool.submit(add_one, 1).result(timeout=60)

with Flow("processes of processes", executor=ProcessExecutor(2)) as flow:
    made = in_processes.map(["fork", "spawn", "forkserver"])

if __name__ == "__main__":
    print("made:", flow.run().result[made].result)
"""


@pytest.mark.parametrize("command", [("program/flow.py",), ("-m", "program.flow")], ids=["a script", "python -m"])
def test_tasks_in_processes_start_processes_that_find_the_code_of_the_program(tmp_path: Path, command: tuple[str, ...]) -> None:
    package = tmp_path / "program"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "flow.py").write_text(SCRIPT)
    beside = package if command[0].endswith(".py") else tmp_path
    (beside / "beside_the_script.py").write_text("def add_one(x):\n    return x + 1\n")

    told = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    assert "made: [(True, 7, 2), (True, 7, 2), (True, 7, 2)]" in told
