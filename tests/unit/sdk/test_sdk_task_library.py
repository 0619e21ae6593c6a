"""Ready-made tasks for texts, files and SQLite."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from harness.documents import ROOT, Block, Document

from headwater import Flow, Task, context
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.states.state import State
from headwater.sdk.task_library.database import SQLiteQuery, SQLiteScript
from headwater.sdk.task_library.files import Copy, Glob, Move, Remove, Unzip, Zip
from headwater.sdk.task_library.templates import JinjaTemplate, StringFormatter


@pytest.mark.parametrize(
    ("kind", "template"),
    [
        (StringFormatter, "{name} is from {place}, says {task_name} in {planet}"),
        (JinjaTemplate, "{{ name }} is from {{ place }}, says {{ task_name }} in {{ planet }}"),
    ],
)
def test_templates_take_arguments_and_the_context(run: Callable[..., State], kind: type[Any], template: str) -> None:
    again = cloudpickle.loads(cloudpickle.dumps(kind(name="guide")))
    with Flow("f") as flow:
        given = kind(template=template, name="guide")(name="Ford", place="Betelgeuse")
        called = again(template=template, name="Ford", place="Betelgeuse")

    with context(planet="Earth", place="Guildford"):
        state = run(flow)

    assert {state.result[each].result for each in (given, called)} == {"Ford is from Betelgeuse, says guide in Earth"}


@pytest.mark.parametrize(
    ("task", "result"),
    [
        (StringFormatter(template="{name} and {nobody}"), KeyError),
        (JinjaTemplate(template="{{ name }} and {{ nobody }}"), "Ford and "),
        (StringFormatter(), ""),
        (JinjaTemplate(), ""),
    ],
)
def test_a_name_that_is_not_there(run: Callable[..., State], task: Any, result: Any) -> None:
    with Flow("f") as flow:
        made = task(name="Ford")

    found = run(flow).result[made].result

    assert isinstance(found, result) if isinstance(result, type) else found == result


def test_without_jinja2_the_template_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from headwater.tasks.templates import JinjaTemplate, StringFormatter\n"
        "StringFormatter(template='x')\n"
        "try: JinjaTemplate(template='x')\n"
        "except Exception as error: print(error, error.hint)\n"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout == "JinjaTemplate needs jinja2, which is not installed. pip install 'headwater[templates]'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory `source` with a file in it and one in a directory below."""
    (tmp_path / "source" / "below").mkdir(parents=True)
    (tmp_path / "source" / "a.txt").write_text("a")
    (tmp_path / "source" / "below" / "b.txt").write_text("b")
    return tmp_path


def tree(folder: Path) -> list[str]:
    return sorted(str(each.relative_to(folder)) for each in folder.rglob("*") if each.is_file())


def test_a_copy_leaves_what_was_copied(folder: Path) -> None:
    (folder / "into").mkdir()

    found = [
        Copy(folder / "source").run(target_path=folder / "copy"),
        Copy().run(str(folder / "source" / "a.txt"), str(folder / "into")),
        Copy(target_path=folder / "c.txt").run(folder / "source" / "a.txt"),
    ]

    assert found == [folder / "copy", folder / "into" / "a.txt", folder / "c.txt"]
    assert tree(folder) == ["c.txt", "copy/a.txt", "copy/below/b.txt", "into/a.txt", "source/a.txt", "source/below/b.txt"]


def test_a_move_leaves_nothing_behind(folder: Path) -> None:
    (folder / "into").mkdir()

    found = [Move(folder / "source", folder / "into").run(), Move().run(folder / "into" / "source" / "a.txt", folder / "c.txt")]

    assert found == [folder / "into" / "source", folder / "c.txt"]
    assert tree(folder) == ["c.txt", "into/source/below/b.txt"]


def test_files_and_empty_directories_are_removed(folder: Path) -> None:
    (folder / "empty").mkdir()
    (folder / "link").symlink_to(folder / "source")

    Remove(folder / "empty").run()
    Remove().run(folder / "source" / "a.txt")
    Remove(str(folder / "link")).run()

    assert sorted(each.name for each in folder.iterdir()) == ["source"]
    assert tree(folder) == ["source/below/b.txt"]
    with pytest.raises(OSError, match="not empty"):
        Remove(folder / "source").run()


def test_paths_are_found_by_a_pattern(folder: Path) -> None:
    assert Glob(folder / "source", "*.txt").run() == [folder / "source" / "a.txt"]
    assert sorted(Glob(pattern="**/*.txt").run(folder)) == [folder / "source" / "a.txt", folder / "source" / "below" / "b.txt"]
    assert sorted(each.name for each in Glob(folder / "source").run()) == ["a.txt", "below"]
    assert Glob(folder).run(pattern="*.csv") == []


@pytest.mark.parametrize("method", ["deflate", "store", "bzip2", "lzma"])
def test_what_was_packed_is_unpacked(folder: Path, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    single = folder / "source" / "a.txt"
    Zip([folder / "source", str(single)], folder / "all.zip", compression_method=method).run()
    Zip(compression_level=9).run(single, folder / "one.zip")

    assert sorted(zipfile.ZipFile(folder / "all.zip").namelist()) == ["a.txt", "source/a.txt", "source/below/b.txt"]
    assert Unzip(folder / "all.zip").run(extract_dir=folder / "out") == folder / "out"
    assert tree(folder / "out") == ["a.txt", "source/a.txt", "source/below/b.txt"]
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    assert Unzip().run(folder / "one.zip") == folder / "here"
    assert tree(folder / "here") == ["a.txt"]


MISTAKES = [
    pytest.param(lambda here: Copy().run(target_path=here), ValueError, "No source_path", id="copy from nothing"),
    pytest.param(lambda here: Copy(here).run(), ValueError, "No target_path", id="copy to nothing"),
    pytest.param(lambda here: Copy(here / "no", here).run(), ValueError, "nothing at .*source_path", id="copy what is not there"),
    pytest.param(lambda here: Move(target_path=here).run(), ValueError, "No source_path", id="move from nothing"),
    pytest.param(lambda here: Move().run(here / "no", here), ValueError, "nothing at", id="move what is not there"),
    pytest.param(lambda _: Remove().run(), ValueError, "No path", id="remove nothing"),
    pytest.param(lambda here: Remove(here / "no").run(), ValueError, "nothing at .*path", id="remove what is not there"),
    pytest.param(lambda _: Glob().run(), ValueError, "No path", id="look nowhere"),
    pytest.param(lambda _: Unzip().run(), ValueError, "No zip_path", id="unpack nothing"),
    pytest.param(lambda here: Unzip(here / "no.zip").run(), ValueError, "nothing at .*zip_path", id="unpack what is not there"),
    pytest.param(lambda here: Unzip(here / "source/a.txt").run(), TypeError, "not a ZIP file", id="unpack another file"),
    pytest.param(lambda here: Zip(zip_path=here / "x.zip").run(), ValueError, "No source_path", id="pack nothing"),
    pytest.param(lambda here: Zip(here).run(), ValueError, "No zip_path", id="pack into nothing"),
    pytest.param(lambda here: Zip([here / "no"], here / "x.zip").run(), ValueError, "nothing at", id="pack what is not there"),
    pytest.param(lambda _: Zip(compression_method="rar"), InvalidTask, "compression_method 'rar'", id="an unknown method"),
    pytest.param(lambda _: SQLiteQuery(query="SELECT 1").run(), ValueError, "No db", id="no database to ask"),
    pytest.param(lambda here: SQLiteQuery(here / "x.db").run(), ValueError, "No query", id="no query"),
    pytest.param(lambda here: SQLiteQuery(here / "x.db", "SELECT ?").run(), ValueError, "data", id="no values"),
    pytest.param(lambda _: SQLiteScript(script="SELECT 1").run(), ValueError, "No db", id="no database for a script"),
    pytest.param(lambda here: SQLiteScript(here / "x.db").run(), ValueError, "No script", id="no script"),
    pytest.param(lambda here: SQLiteQuery(here / "x.db", "SELECT nonsense").run(), sqlite3.OperationalError, "nonsense", id="wrong SQL"),
]


@pytest.mark.parametrize(("make", "kind", "sentence"), MISTAKES)
def test_mistakes_are_said_in_a_sentence(folder: Path, make: Callable[[Path], object], kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        make(folder)


def test_files_pass_from_task_to_task(run: Callable[..., State], folder: Path) -> None:
    with Flow("f") as flow:
        found = Glob(folder / "source", "*.txt")()
        moved = Move(target_path=folder / "moved.txt")(source_path=found[0])
        removed = Remove()(moved)

    state = run(flow)

    assert (state.result[moved].result, state.result[removed].is_successful()) == (folder / "moved.txt", True)
    assert tree(folder) == ["source/below/b.txt"]


def test_scripts_and_queries_share_a_database(run: Callable[..., State], tmp_path: Path) -> None:
    db = tmp_path / "books.db"
    query = SQLiteQuery(db)
    with Flow("f") as flow:
        made = SQLiteScript(db)(script="CREATE TABLE book (title, year); INSERT INTO book VALUES ('first', 2022), ('second', 2023);")
        added = query(query="INSERT INTO book VALUES (?, ?)", data=("third", 2024), upstream_tasks=[made])
        found = query(query="SELECT title FROM book WHERE year > ?", data=(2022,), upstream_tasks=[added])
        named = query(query="SELECT year FROM book WHERE title = :title", data={"title": "third"}, upstream_tasks=[added])

    state = run(flow)

    assert (state.result[found].result, state.result[named].result) == ([("second",), ("third",)], [(2024,)])


@pytest.mark.parametrize("block", Document(ROOT / "docs" / "guides" / "task-library.md").blocks(), ids=lambda block: f"line {block.line}")
def test_the_guide_does_what_it_says(block: Block) -> None:
    exec(compile(block.text, "task-library.md", "exec"), {"__name__": "guide"})


def test_settings_are_those_of_every_task() -> None:
    made: list[Task] = [
        kind(name="mine", tags=["x"], max_retries=1, retry_delay=1) for kind in (Copy, Glob, Move, Remove, Unzip, Zip, SQLiteQuery)
    ]

    assert {(task.name, *task.tags, task.max_retries) for task in made} == {("mine", "x", 1)}
