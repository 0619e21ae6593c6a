"""What the project says about itself is so: references, links, commands, decisions."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from graphql import build_schema
from harness.documents import ROOT, Document, documents

from headwater.core import events
from headwater.core.program import settings
from headwater.core.queries.field_sentences import field_sentences
from headwater.core.queries.rows import ArtifactRow, KeyValueRow, Row, RunRow
from headwater.core.states import StateName
from headwater.web.graphql.schema import schema

DOCUMENTS = documents()
PUBLIC_ROWS = [kind for base in Row.__subclasses__() for kind in (base, *base.__subclasses__())]
REPOSITORY = "https://github.com/headwater-workflows/headwater"
_NAMES = [document.name for document in DOCUMENTS]


def document(name: str) -> Document:
    return Document(ROOT / name)


def test_the_references_say_what_the_code_says() -> None:
    done = subprocess.run([sys.executable, "-P", ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_every_event_is_documented() -> None:
    documented = re.findall(r"^\| `([a-z_.]+)` \| \S", document("docs/reference/events.md").text, re.MULTILINE)

    assert documented == [kind.__struct_config__.tag for kind in events.EVENT_TYPES]


def test_every_state_is_documented() -> None:
    documented = re.findall(r"^\| `([A-Za-z]+)` \| \S", document("docs/reference/states.md").text, re.MULTILINE)

    assert documented == list(StateName)


@pytest.mark.parametrize("kind", PUBLIC_ROWS)
def test_every_field_of_a_row_has_a_sentence(kind: type[Row]) -> None:
    sentences = field_sentences(kind)

    assert [field.name for field in msgspec.structs.fields(kind) if not sentences.get(field.name, "").endswith(".")] == []
    assert f"\n## {kind.__name__}\n" in document("docs/reference/rows.md").text


def test_every_kind_of_row_is_public() -> None:
    assert {RunRow, ArtifactRow, KeyValueRow} <= set(PUBLIC_ROWS)
    assert len(PUBLIC_ROWS) > 20


def test_graphql_describes_fields_as_the_rows_do() -> None:
    described = build_schema(schema().as_str()).type_map["flow_run"].fields["end_time"].description  # type: ignore[attr-defined]

    assert described == "When it ended; null while it has not."


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"^\| `(HEADWATER_[A-Z_]+)` \|", document("docs/reference/settings.md").text, re.MULTILINE))

    assert documented == {setting.variable for setting in settings.SETTINGS}


def test_every_command_is_documented() -> None:
    documented = set(re.findall(r"^## (headwater .+)$", document("docs/reference/cli.md").text, re.MULTILINE))

    assert {" ".join(words) for words in _commands(_root(), "headwater")} <= documented


@pytest.mark.parametrize("name", _NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = document(name)
    lost = [target for target in page.links() if not _is_there(page, target)]

    assert lost == []


@pytest.mark.parametrize("name", _NAMES)
def test_every_command_shown_can_be_typed(name: str) -> None:
    assert _refused(document(name).calls()) == {}


@pytest.mark.parametrize("name", _NAMES)
def test_every_command_and_option_mentioned_exists(name: str) -> None:
    assert _refused(document(name).mentions(), whole=False) == {}


@pytest.mark.parametrize("name", _NAMES)
def test_every_python_block_compiles_and_imports_what_exists(name: str) -> None:
    for block in document(name).blocks():
        if block.language == "python":
            compile(block.text, f"{name}:{block.line}", "exec")
            for module, imported in re.findall(r"^from (headwater[\w.]*) import (.+)$", block.text, re.MULTILINE):
                found = importlib.import_module(module)
                missing = [each for each in re.split(r"[ ,()]+", imported) if each and not hasattr(found, each.split(" as ")[0])]
                assert missing == [], f"{module} in line {block.line}"


def test_the_index_names_every_page() -> None:
    index = document("docs/README.md")
    linked = {(index.path.parent / target.partition("#")[0]).resolve() for target in index.links()}
    pages = {each.path for each in DOCUMENTS if each.name.startswith("docs/") and "/decisions/" not in each.name}

    assert pages - linked - {index.path} == set()


def test_every_decision_is_listed() -> None:
    index = document("docs/decisions/README.md")
    pages = {path.name for path in index.path.parent.glob("[0-9]*.md")}

    assert {target for target in index.links() if target.endswith(".md")} >= pages


def test_the_example_in_the_readme_is_the_one_in_the_examples() -> None:
    example = (ROOT / "examples" / "hello_flow.py").read_text()

    for name in ("README.md", "docs/quickstart.md"):
        block = next(block for block in document(name).blocks() if block.title == "hello_flow.py")
        assert block.text == example, name


def test_every_proof_named_in_the_guarantees_exists() -> None:
    named = re.findall(r"\[`(\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", document("docs/guarantees.md").text)
    lost = [f"{path}::{test}" for test, path in named if f"def {test}(" not in (ROOT / path).read_text()]

    assert named
    assert lost == []


def _is_there(page: Document, target: str) -> bool:
    folder = page.path.parent
    if own := re.match(REPOSITORY + r"/(?:blob|tree)/main/(.+)", target):
        # The README is shown on index pages too, where only whole addresses lead somewhere.
        folder, target = ROOT, own.group(1)
    if re.match(r"[a-z]+:", target):
        return True
    path, _, anchor = target.partition("#")
    file: Path = (folder / path).resolve() if path else page.path
    if not file.exists() or not file.is_relative_to(ROOT):
        return False
    return not anchor or file.suffix != ".md" or anchor in Document(file).anchors()


def _root() -> Any:
    from headwater.cli.main import app

    return typer.main.get_command(app)


def _refused(calls: Iterable[list[str]], *, whole: bool = True) -> dict[str, str]:
    """Return the calls that cannot be typed, and why. Those that are not whole may lack arguments."""
    refused = {}
    for words in calls:
        try:
            _parse(words)
        except typer.Exit:
            pass  # an option that does all by itself, such as --version
        except Exception as error:  # noqa: BLE001 - whatever it is, the command cannot be typed
            if whole or type(error).__name__ not in {"MissingParameter", "NoArgsIsHelpError", "BadOptionUsage"}:
                refused[" ".join(words)] = str(error)
    return refused


def _parse(words: list[str]) -> None:
    """Read a call as the command line does, without doing anything. Raises what it would say."""
    command: Any = _root()
    context = command.make_context("headwater", list(words), help_option_names=[])
    while getattr(command, "commands", None) is not None:
        rest = [*context._protected_args, *context.args]
        if not rest:
            return
        name, command, rest = command.resolve_command(context, rest)
        context = command.make_context(name, rest, parent=context)


def _commands(command: Any, path: str) -> list[list[str]]:
    children = getattr(command, "commands", None)
    if not children:
        return [path.split()]
    real = {entry.name: command.loaded(entry) for entry in getattr(command, "table", ())} or children
    return [each for name, child in real.items() if not child.hidden for each in _commands(child, f"{path} {name}")]
