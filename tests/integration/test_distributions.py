"""What is published, built as for an index: the wheel and the source distribution hold all that they should."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
from harness.checkout import copy_checkout
from harness.documents import ROOT
from markdown_it import MarkdownIt

REPOSITORY = "https://github.com/headwater-workflows/headwater"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with both, the wheel made from the source distribution, as pip would make it."""
    folder = tmp_path_factory.mktemp("dist")
    sources = copy_checkout(folder / "checkout")
    command = [sys.executable, "-P", "-m", "build", "--no-isolation", "--outdir", str(folder), str(sources)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def in_wheel(built: Path) -> set[str]:
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as file:
        return set(file.namelist())


@pytest.fixture(scope="module")
def in_sdist(built: Path) -> set[str]:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        return {name.partition("/")[2] for name in file.getnames()}


@pytest.fixture(scope="module")
def metadata(built: Path) -> Message:
    (wheel,) = built.glob("*.whl")
    with ZipFile(wheel) as file:
        (name,) = [each for each in file.namelist() if each.endswith(".dist-info/METADATA")]
        return message_from_bytes(file.read(name))


def package_files() -> set[str]:
    """Return the files of the package as they are in the wheel: the links in src/headwater followed."""
    package = ROOT / "src" / "headwater"
    found = {path.relative_to(package.parent) for path in package.iterdir() if path.is_file()}
    for link in (each for each in package.iterdir() if each.is_dir() and each.name != "__pycache__"):
        room = link.resolve()
        found |= {Path("headwater", link.name, path.relative_to(room)) for path in room.rglob("*") if path.is_file()}
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else(in_wheel: set[str]) -> None:
    assert {name for name in in_wheel if ".dist-info/" not in name} == package_files()


def test_the_source_distribution_holds_tests_documents_and_what_they_read(in_sdist: set[str]) -> None:
    beside = ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "constraints.txt", "Dockerfile", ".dockerignore", "compose.yaml"]
    folders = [*(ROOT / "docs").rglob("*"), *(ROOT / "tests").rglob("*"), *(ROOT / "examples").rglob("*")]
    wanted = {path.relative_to(ROOT).as_posix() for path in folders if path.is_file() and "__pycache__" not in path.parts}

    assert wanted | set(beside) <= in_sdist


def test_no_key_and_nothing_made_is_published(in_wheel: set[str], in_sdist: set[str]) -> None:
    made = re.compile(r"(^|/)(\.env|\.git/|\.venv|__pycache__|flows/.+\.flow)|\.py[cod]$")

    assert [name for name in in_wheel | in_sdist if made.search(name)] == []


def test_the_metadata_says_who_and_where(metadata: Message) -> None:
    urls = dict(url.split(", ", 1) for url in metadata.get_all("Project-URL") or ())

    assert metadata["Author"] == "The Headwater developers"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert set(urls) == {"Homepage", "Documentation", "Changelog", "Issues"}
    assert all(url.startswith(REPOSITORY) for url in urls.values())


def test_the_readme_has_only_links_that_work_on_an_index_page(metadata: Message) -> None:
    inline = [part for block in MarkdownIt().parse(str(metadata.get_payload())) for part in block.children or ()]
    targets = [str(part.attrs.get("href") or part.attrs.get("src")) for part in inline if part.type in {"link_open", "image"}]
    unresolved = [part.content for part in inline if part.type == "text" and "[" in part.content]

    assert metadata["Description-Content-Type"] == "text/markdown"
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []
    assert unresolved == []
