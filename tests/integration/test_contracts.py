"""The arrows between the rooms: a wrong one, wherever it is put, is refused by `make check`."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from harness.documents import ROOT

WRONG_ARROWS = [
    ("headwater.core.runs.rules", "headwater.core.log.jetstream.log"),
    ("headwater.core.projects.rules", "headwater.core.operations.runs"),
    ("headwater.core.runs.events", "headwater.core.runs.rules"),
    ("headwater.core.errors", "headwater.core.log.codec"),
    ("headwater.core.queues.rules", "headwater.core.aggregates"),
    ("headwater.core.agents.state", "headwater.core.agents.rules"),
    ("headwater.core.flows.events", "headwater.core.flows.commands"),
    ("headwater.core.slots.describe", "headwater.core.program.settings"),
    ("headwater.core.values.names", "headwater.core.events"),
    ("headwater.core.operations.runs", "headwater.core.log.memory.queues"),
    ("headwater.core.log.memory.queues", "headwater.core.log.jetstream.queues"),
    ("headwater.core.queries.rows", "headwater.core.operations.runs"),
    ("headwater.core.values.labels", "headwater.sdk.client.client"),
    ("headwater.agents.local", "headwater.projections.database"),
    ("headwater.agents.local", "headwater.server.options"),
    ("headwater.sdk.client.client", "headwater.projections.database"),
    ("headwater.sdk.client.client", "headwater.sdk.backend.kv_store"),
    ("headwater.sdk.backend.kv_store", "headwater.sdk.task_library.shell"),
    ("headwater.sdk.engine.rules", "headwater.sdk.client.client"),
    ("headwater.sdk.executors.base", "headwater.sdk.engine.rules"),
    ("headwater.sdk.storage.base", "headwater.sdk.executors.base"),
    ("headwater.sdk.language.task", "headwater.sdk.engine.rules"),
    ("headwater.sdk.language.flow", "headwater.sdk.storage.pickled"),
    ("headwater.core.calendar.clocks", "headwater.sdk.language.flow"),
    ("headwater.sdk.results.result", "headwater.sdk.states.state"),
    ("headwater.sdk.context.context", "headwater.sdk.states.state"),
    ("headwater.sdk.engine.rules", "headwater.engine.state"),
    ("headwater.agents.local", "headwater.triggers"),
    ("headwater.sdk.language.flow", "headwater.agents.local"),
    ("headwater.core.calendar.clocks", "headwater.core.program.settings"),
    ("headwater.core.values.labels", "headwater.core.calendar.clocks"),
    ("headwater.sdk.states.state", "headwater.sdk.language.flow"),
    ("headwater.agents.run_process.main", "headwater.agents.agent.agent"),
    ("headwater.agents.agent.agent", "headwater.agents.local.local_agent"),
    ("headwater.agents.agent.delivery_plan", "headwater.agents.run_process.supervisor_link"),
    ("headwater.agents.run_process.supervisor_link", "headwater.agents.supervisor.attempt_writer"),
    ("headwater.agents.supervisor.attempt_session", "headwater.agents.run_process.main"),
    ("headwater.agents.launcher", "headwater.agents.local.zygote"),
    ("headwater.projections.database", "headwater.web.app"),
    ("headwater.audit.explain", "headwater.projections.database"),
    ("headwater.audit.replay", "headwater.web.app"),
    ("headwater.audit.verify", "headwater.sdk.client.client"),
    ("headwater.server.supervision.supervisor", "headwater.server.nats.nats_server"),
    ("headwater.server.postgres.postgres", "headwater.server.monitor.monitor"),
    ("headwater.projections.database", "headwater.sdk.language.flow"),
    ("headwater.web.app", "headwater.sdk.language.flow"),
    ("headwater.web.app", "headwater.server.options"),
    ("headwater.server.options", "headwater.cli.main"),
    ("headwater.cli.output", "headwater.cli.commands.get"),
]
"""Importer and imported, each put inside of a function, as people do where an import at the top was refused."""


def test_wrong_arrows_are_refused(tmp_path: Path) -> None:
    package = tmp_path / "headwater"
    shutil.copytree(ROOT / "src" / "headwater", package, ignore=shutil.ignore_patterns("__pycache__", "static", "templates"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for number, (importer, imported) in enumerate(WRONG_ARROWS):
        assert file_of(package, imported)
        with file_of(package, importer).open("a") as file:
            file.write(f"\n\ndef _wrong_{number}() -> None:\n    import {imported}\n")

    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1, done.stdout + done.stderr
    refused = set(re.findall(r"^[ -]*(headwater[\w.]*) -> (headwater[\w.]*) \(l\.", done.stdout, re.MULTILINE))
    assert [arrow for arrow in WRONG_ARROWS if arrow not in refused] == []


def file_of(package: Path, module: str) -> Path:
    path = package.joinpath(*module.split(".")[1:])
    found = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert found.exists(), f"{module} is gone: name another one"
    return found


def test_no_room_is_imported_by_a_text_that_no_contract_sees() -> None:
    """But by what looks names up: the package itself, and the finder of old paths."""
    hidden = [
        f"{path.name}:{node.lineno}"
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and is_import_by_text(node)
    ]
    assert hidden == []


def test_arrows_between_layers_that_are_let_through_are_for_types_alone() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    let_through = {
        arrow for contract in contracts if contract.get("containers") == ["headwater.sdk"] for arrow in contract["ignore_imports"]
    }
    arrows = {f"{module} -> {imported}" for module, found in imports_at_run_time().items() for imported in found}

    assert let_through
    assert let_through & arrows == set()


def test_no_module_of_the_sdk_leads_back_to_itself() -> None:
    """Imports inside functions count: a circle of modules is one module in several files."""
    TopologicalSorter(imports_at_run_time()).prepare()


def imports_at_run_time() -> dict[str, set[str]]:
    """Which modules of the SDK each of them imports, wherever the import stands, but for those that only a type checker sees."""
    folder = ROOT / "sdk"
    files = {module_name(path.relative_to(folder)): path for path in folder.rglob("*.py")}
    return {module: set(imported_by(path, files)) - {module} for module, path in files.items()}


def module_name(path: Path) -> str:
    parts = ("headwater", "sdk", *path.with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_by(file: Path, modules: Collection[str]) -> Iterator[str]:
    nodes: list[ast.AST] = [ast.parse(file.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else node.module for name in names if node.module in modules)


def sources() -> list[Path]:
    package = ROOT / "src" / "headwater"
    rooms = [each.resolve() for each in package.iterdir() if each.is_dir()]
    return [*package.glob("*.py"), *(path for room in rooms for path in room.rglob("*.py"))]


def is_import_by_text(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    given = call.args[0] if call.args else None
    return (
        name in {"import_module", "__import__", "import_object"}
        and isinstance(given, ast.Constant | ast.JoinedStr)
        and "headwater" in ast.unparse(given)
    )
