"""What people read says things plainly: without the words that the table in CONTRIBUTING.md leaves out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from harness.documents import ROOT

ROOMS = ("agents", "audit", "cli", "core", "projections", "sdk", "server", "web")
ALLOWED = {
    # What is not a sentence for people, or what programs read.
    ("server/postgres/postgres.py", "nobody"),
    ("audit/explanation.py", "set by hand"),
}


def left_out() -> re.Pattern[str]:
    """Return what finds a word of the table's left side."""
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| not | but |\n|---|---|\n")[2].partition("\n\n")[0]
    words = [word.strip() for line in table.splitlines() for word in line.split("|")[1].split(",")]
    assert len(words) > 10
    return re.compile(rf"\b({'|'.join(map(re.escape, words))})\b", re.IGNORECASE)


def read_by_people() -> Iterator[tuple[str, int, str]]:
    """Yield what people read: file, line and text. Of the code its texts but docstrings; those that are the help are in the reference."""
    documents = [ROOT / "README.md", *(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "decisions")]
    for path in [*documents, *(ROOT / "web" / "templates").rglob("*.html")]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield path.relative_to(ROOT).as_posix(), number, line
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        tree = ast.parse(path.read_text())
        documented = {id(text) for text in strings_that_stand_alone(tree)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
                yield path.relative_to(ROOT).as_posix(), node.lineno, node.value


def strings_that_stand_alone(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value


def test_what_people_read_leaves_these_words_out() -> None:
    words = left_out()

    found = [
        f"{file}:{line}: {text.strip()}" for file, line, text in read_by_people() if words.search(text) and (file, text) not in ALLOWED
    ]

    assert found == []


def test_the_words_are_found_where_they_are() -> None:
    words = left_out()

    assert all(words.search(text) for text in ("Nobody asked.", "No agent is at work.", "It is told to stop."))
    assert not words.search("It was behind, and at workshops.")


def test_the_files_are_those_that_people_read() -> None:
    files = {file for file, _, _ in read_by_people()}

    assert {"README.md", "docs/reference/cli.md", "docs/guides/agents.md", "web/templates/base.html", "cli/commands/run.py"} <= files
