"""What users and developers read says things plainly: without the words that the table in CONTRIBUTING.md leaves out."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from harness.documents import ROOT

ROOMS = ("agents", "audit", "cli", "core", "projections", "sdk", "server", "web")
CODE = (*ROOMS, "src/headwater", "tests", "benchmarks", "docs", "examples")
# Docstrings of functions that flows hand to tasks: they are constants of the code, and so a part of what flows registered as.
KEPT_DOCSTRINGS = {
    ("sdk/language/triggers.py", "Wait until somebody resumes the task."),
    ("sdk/task_library/notifications/notifiers.py", "only_states: the only kinds of states that are told of."),
}
IS_NO = r"(?<!there )(?<!here )\b(is|was) no (?!longer|more|one|other)[a-z]"
"""What is said of a thing that is not an X; of an X that is missing, it is said that there is none."""
# Stored flows: what they are made of, their names among it, must stay as it was.
KEPT = ROOT / "tests" / "histories"
ALLOWED = {
    # What is not a sentence for people, or what programs read.
    ("server/postgres/postgres.py", "nobody"),
    ("audit/explanation.py", "set by hand"),
    ("web/auth.py", "a browser of ours until "),
}


def left_out() -> re.Pattern[str]:
    """Return what finds a word of the table's left side."""
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("| not | but |\n|---|---|\n")[2].partition("\n\n")[0]
    words = [word.strip() for line in table.splitlines() for word in line.split("|")[1].split(",")]
    assert len(words) > 10
    return re.compile(rf"\b({'|'.join(map(re.escape, words))})\b|{IS_NO}", re.IGNORECASE)


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


@cache
def read_by_developers() -> tuple[tuple[str, int, str], ...]:
    """Return the docstrings, the comments and the names of tests: file, line and text. In names, underscores are spaces."""
    return tuple(sentences_in_code())


def sentences_in_code() -> Iterator[tuple[str, int, str]]:
    for path in sorted(path for folder in CODE for path in files_of(ROOT / folder)):
        file = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text())
        for text in strings_that_stand_alone(tree):
            if isinstance(text.value, str):
                yield from ((file, text.lineno + number, line) for number, line in enumerate(text.value.splitlines()))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                yield file, node.lineno, node.name.replace("_", " ")
        with path.open("rb") as source:
            yield from ((file, each.start[0], each.string) for each in tokenize.tokenize(source.readline) if each.type == tokenize.COMMENT)


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of Python below a folder, but for those that its links lead to and those that are kept."""
    for path in folder.iterdir():
        if path.is_symlink() or path == KEPT:
            continue
        if path.is_dir():
            yield from files_of(path)
        elif path.suffix == ".py":
            yield path


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


def test_docstrings_comments_and_names_of_tests_leave_these_words_out() -> None:
    words = left_out()

    found = [(file, line, text.strip()) for file, line, text in read_by_developers() if words.search(text)]

    assert [each for each in found if (each[0], each[2]) not in KEPT_DOCSTRINGS] == []


def test_docstrings_comments_and_names_of_tests_are_read() -> None:
    this = [text for file, _, text in read_by_developers() if file == "tests/unit/test_plain_words.py"]

    assert "test docstrings comments and names of tests are read" in this
    assert "# Stored flows: what they are made of, their names among it, must stay as it was." in this
    assert "Return what finds a word of the table's left side." in this


def test_the_words_are_found_where_they_are() -> None:
    words = left_out()

    assert all(words.search(text) for text in ("Nobody asked.", "No agent is at work.", "It is told to stop.", "That is no time."))
    assert not words.search("It was behind, and at workshops. There is no time, and it is no longer needed.")


def test_the_files_are_those_that_people_read() -> None:
    files = {file for file, _, _ in read_by_people()}

    assert {"README.md", "docs/reference/cli.md", "docs/guides/agents.md", "web/templates/base.html", "cli/commands/run.py"} <= files
