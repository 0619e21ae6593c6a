"""Tasks of registered flows that start processes with `multiprocessing` and `ProcessPoolExecutor`, executed by an agent."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from harness.agent_harness import AgentHarness, hosted, running_agent

from headwater.core.events import TaskRunFailed
from headwater.core.states import StateName

pytestmark = pytest.mark.usefixtures("home")

METHODS = ("fork", "spawn", "forkserver")

HELPERS = """
from headwater import task

RATE = 3

def triple(x):
    return x * RATE

@task
def step(x):
    return triple(x) + x
"""

FLOW = """
import multiprocessing, os, socket, sys, time
from concurrent.futures import ProcessPoolExecutor

from headwater import Flow, Parameter, task
from headwater.executors import LocalDaskExecutor
from headwater.run_configs import LocalRun
from headwater.storage import Local, Module
{imports}

SHARED = None

class Point:
    def __init__(self, x):
        self.x = x

    def double(self):
        return Point(2 * self.x)

def remember(value):
    global SHARED
    SHARED = value

def add_shared(x):
    return SHARED + triple(x)

def answer(queue, x):
    queue.put(Point(triple(x)))

def wait_for_ever():
    time.sleep(3600)

@task
def in_a_process(method):
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    process = context.Process(target=answer, args=(queue, 2))
    process.start()
    found = queue.get(timeout=60)
    process.join()
    assert isinstance(found, Point), found
    waiting = context.Process(target=wait_for_ever)
    waiting.start()
    waiting.terminate()
    waiting.join()
    return found.x, process.exitcode, waiting.exitcode

@task
def in_a_pool(method):
    with multiprocessing.get_context(method).Pool(2, initializer=remember, initargs=(5,)) as pool:
        doubled = pool.map_async(Point.double, [Point(4)]).get(60)
        return pool.map_async(add_shared, [1, 2]).get(60) + [pool.apply_async(triple, (1,)).get(60), doubled[0].x]

@task
def in_an_executor(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as executor:
        return executor.submit(triple, 7).result(timeout=60)

@task
def check(process, pool, executor, stepped):
    found = [process, pool, executor, stepped, sys.argv[1:]]
    assert found == [(6, 0, -15), [8, 11, 3, 8], 21, 4, []], found
    assert os.getcwd() == {cwd!r}

def build(name, storage, **settings):
    with Flow(name, storage=storage, **settings) as flow:
        method = Parameter("method")
        check(in_a_process(method), in_a_pool(method), in_an_executor(method), step(1))
    return flow

pickled = build("pickled", None)
script = build("script", Local(path=__file__, stored_as_script=True))
module = build("module", Module({module!r}, labels=[socket.gethostname()]))
cold = build("cold", None, run_config=LocalRun(env={{"PYTHONHASHSEED": "5"}}))
on_processes = build("on-processes", None, executor=LocalDaskExecutor(scheduler="processes", num_workers=2))

# Without a guard on purpose: a process that executes this file again must register nothing.
for flow in (pickled, script, module, cold, on_processes):
    print(flow.name, "=", flow.register("tutorial", no_url=True))
"""


def registered(folder: Path, url: str, *command: str) -> dict[str, str]:
    """Execute a program that registers flows; return their ids by their names."""
    told = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**os.environ, "HEADWATER_NATS_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )
    # None is what registering returns where the file is only being loaded.
    return dict(line.split(" = ") for line in told.stdout.splitlines() if " = " in line and not line.endswith(" = None"))


def written(folder: Path, texts: Mapping[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


PROGRAMS = [
    pytest.param("flow.py", ("flow.py",), "flow", "from flow_helpers import step, triple", "flow_helpers.py", id="a script"),
    pytest.param(
        "store/flow.py",
        ("-m", "store.flow"),
        "store.flow",
        "from .steps.helpers import step, triple",
        "store/steps/helpers.py",
        id="python -m",
    ),
]


@pytest.mark.parametrize(("file", "command", "module", "imports", "helpers"), PROGRAMS)
async def test_tasks_start_processes_in_every_way_from_every_storage(  # noqa: PLR0917
    tmp_path: Path, harness: AgentHarness, file: str, command: tuple[str, ...], module: str, imports: str, helpers: str
) -> None:
    folder = tmp_path / "project"
    packages = {str(parent / "__init__.py"): "" for parent in Path(helpers).parents if parent.name}
    flow = FLOW.format(imports=imports, module=module, cwd=str(Path.cwd()))
    written(folder, {file: flow, helpers: HELPERS, **packages})
    ids = registered(folder, harness.url, *command)
    assert set(ids) == {"pickled", "script", "module", "cold", "on-processes"}

    ended: dict[tuple[str, str], Any] = {}
    async with hosted(running_agent(harness.url, import_paths=[str(folder)], limit=2)), anyio.create_task_group() as group:
        for name, flow_id in ids.items():
            for method in METHODS:
                group.start_soon(_run, harness, flow_id, name, method, ended)

    assert ended == {(name, method): (StateName.SUCCESS, []) for name in ids for method in METHODS}


async def _run(harness: AgentHarness, flow_id: str, name: str, method: str, ended: dict[tuple[str, str], Any]) -> None:
    run_id = await harness.run(flow_id, parameters={"method": method})
    state = (await harness.ended(run_id)).state
    failures = [
        event for event in await harness.reached(run_id, lambda names, _: names[-1].startswith("run.")) if isinstance(event, TaskRunFailed)
    ]
    ended[name, method] = (state, failures)


async def test_frozen_code_stays_frozen_in_the_processes_that_a_task_starts(tmp_path: Path, harness: AgentHarness) -> None:
    folder = tmp_path / "project"
    written(
        folder,
        {
            "flow.py": FLOW.format(imports="from flow_helpers import step, triple", module="flow", cwd=str(Path.cwd())),
            "flow_helpers.py": HELPERS,
        },
    )
    ids = registered(folder, harness.url, "flow.py")
    # The script is gone and the module beside it another: neither is what was registered.
    (folder / "flow.py").unlink()
    (folder / "flow_helpers.py").write_text("raise SystemExit('changed')\n")

    ended: dict[tuple[str, str], Any] = {}
    async with hosted(running_agent(harness.url)):
        await _run(harness, ids["pickled"], "pickled", "spawn", ended)

    assert ended == {("pickled", "spawn"): (StateName.SUCCESS, [])}
