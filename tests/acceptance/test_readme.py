"""The README and the quickstart, done word for word from the installed package, with a real server in a home of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness.documents import ROOT, Document
from harness.terminals import Reader

GUIDES = [
    "projects",
    "flows-and-registration",
    "storage",
    "agents",
    "local-agent",
    "flow-runs",
    "parameters-and-retries",
    "errors-and-exit-codes",
    "key-values-and-artifacts",
    "schedules",
]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    reader = Reader(tmp_path / "ana")
    yield reader
    reader.leave()


def test_the_readme_shows_what_the_demo_prints(reader: Reader) -> None:
    [block] = [block for block in Document(ROOT / "README.md").blocks() if block.text.startswith("$ make demo\n")]
    shown = block.text.splitlines()[1:]
    # `make demo` makes an environment and runs this in it; the unit tests look that it does.
    printed = reader.run("headwater demo")

    assert reader.plain.length(shown, printed, whole=True) is not None, reader.plain.difference("headwater demo", shown, printed)


def test_the_quickstart_works_as_it_is_written(reader: Reader) -> None:
    reader.follow(Document(ROOT / "docs" / "quickstart.md"))


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_shows_what_happens(guide: str, reader: Reader) -> None:
    prepare(reader)

    reader.follow(Document(ROOT / "docs" / "guides" / f"{guide}.md"))


def prepare(reader: Reader) -> None:
    """Bring the reader to where the guides begin: the quickstart's flow is registered, and its server runs."""
    (reader.directory / "hello_flow.py").write_text((ROOT / "examples" / "hello_flow.py").read_text())
    for command in ("headwater server start --detach", "headwater create project tutorial", "python hello_flow.py"):
        assert reader.run(command), shlex.quote(command)
