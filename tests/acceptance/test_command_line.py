"""The command itself: fast to start, with an example in every help, and a clear word for wrong use."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from harness.command_line import COMMAND, CommandLine

from headwater.cli.main import HeadwaterCommands, app

HEAVY = {
    "asyncio",
    "anyio",
    "nats",
    "msgspec",
    "rich",
    "asyncpg",
    "cloudpickle",
    "headwater.core.events",
    "headwater.sdk.engine",
    "headwater.sdk.states",
}


@pytest.fixture
def headwater(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def commands() -> list[tuple[str, ...]]:
    """Every command by its words."""
    root = typer.main.get_command(app)
    assert isinstance(root, HeadwaterCommands)
    found: list[tuple[str, ...]] = []

    def walk(command: object, words: tuple[str, ...]) -> None:
        below = getattr(command, "commands", None) or {}
        if words and (not below or getattr(command, "invoke_without_command", False)):
            found.append(words)
        for name, child in below.items():
            if not child.hidden:
                walk(child, (*words, name))

    for entry in HeadwaterCommands.table:
        walk(root.loaded(entry), (entry.name,))
    return found


def test_the_help_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [COMMAND.parent / "python", "-X", "importtime", COMMAND, "--help"], capture_output=True, text=True, timeout=60, check=True
    )

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "typer" in imported
    assert imported & HEAVY == set()


def test_every_help_shows_an_example_that_is_a_command_of_headwater(headwater: CommandLine) -> None:
    for words in commands():
        shown = headwater(*words, "--help")
        assert shown.code == 0, (words, shown.err)
        _, _, examples = shown.out.partition("Example")
        assert f"  headwater {' '.join(words)}" in examples, words


def test_a_word_that_is_not_a_command_gets_a_suggestion(headwater: CommandLine) -> None:
    ended = headwater("regster")

    assert ended.code == 2
    assert "No such command 'regster'. Did you mean 'register'" in ended.err


@pytest.mark.parametrize("word", ["version", "--version", "-V"])
def test_the_version_is_printed(headwater: CommandLine, word: str) -> None:
    assert headwater(word).out.strip() == version("headwater")


def test_the_package_can_be_run_as_the_command() -> None:
    done = subprocess.run([sys.executable, "-P", "-m", "headwater", "--version"], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == version("headwater")


def test_short_and_long_help_are_the_same_at_every_level(headwater: CommandLine) -> None:
    for words in ((), ("get",), ("agent", "local", "start"), ("run", "flow")):
        assert headwater(*words, "-h").out == headwater(*words, "--help").out != ""
