"""The arrows between the rooms: a wrong one, wherever it is put, is refused by `make check`."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from documents import ROOT

WRONG_ARROWS = [
    ("headwater.core.rules.run", "headwater.core.log.jetstream.log"),
    ("headwater.core.rules.project", "headwater.core.operations.runs"),
    ("headwater.core.events.run", "headwater.core.rules.run"),
    ("headwater.core.errors", "headwater.core.codec"),
    ("headwater.core.operations.runs", "headwater.core.log.memory.queues"),
    ("headwater.core.log.memory.queues", "headwater.core.log.jetstream.queues"),
    ("headwater.core.queries.rows", "headwater.core.operations.runs"),
    ("headwater.core.labels", "headwater.sdk.client.client"),
    ("headwater.agents.local", "headwater.projections.database"),
    ("headwater.agents.local", "headwater.server.options"),
    ("headwater.sdk.client.client", "headwater.projections.database"),
    ("headwater.sdk.engine.rules", "headwater.engine.state"),
    ("headwater.agents.local", "headwater.triggers"),
    ("headwater.sdk.language.flow", "headwater.agents.local"),
    ("headwater.sdk.schedules.clocks", "headwater.web.app"),
    ("headwater.sdk.states.state", "headwater.sdk.language.flow"),
    ("headwater.projections.database", "headwater.web.app"),
    ("headwater.projections.audit.explain", "headwater.projections.database"),
    ("headwater.projections.database", "headwater.sdk.language.flow"),
    ("headwater.web.app", "headwater.sdk.language.flow"),
    ("headwater.web.app", "headwater.server.options"),
    ("headwater.server.options", "headwater.cli.main"),
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
