"""The reference of all commands as a page of Markdown, made from the commands themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Any

import typer

from headwater.cli.lazy_group import LazyGroup
from headwater.cli.main import app


def command_reference() -> Iterator[str]:
    """Yield the lines of the page."""
    root = typer.main.get_command(app)
    assert isinstance(root, LazyGroup)
    yield "# Command line"
    yield ""
    yield "Data goes to standard output, words about it to standard error. Exit codes: 0 done, 1 refused or failed, 2 wrong use,"
    yield "130 interrupted. Every listing takes `--output json`. Commands that talk to a server take `--nats-url`, `--key` and `--home`,"
    yield "before or behind their name."
    for entry in root.table:
        yield from _pages(root.loaded(entry), f"headwater {entry.name}", connects=entry.connects)


def _pages(command: Any, path: str, *, connects: bool) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children:
        for name, child in children.items():
            if not child.hidden:
                yield from _pages(child, f"{path} {name}", connects=connects)
        if not getattr(command, "invoke_without_command", False):
            return
    yield ""
    yield f"## {path}"
    yield ""
    yield " ".join(inspect.cleandoc(command.help or command.short_help or "").split())
    yield ""
    yield "```console"
    yield from (f"$ {line.strip()}" for line in _examples(command) or [path])
    yield "```"
    rows = [row for parameter in command.params if (row := _row(parameter, connects=connects)) is not None]
    if rows:
        yield ""
        yield "| argument or option | meaning | default |"
        yield "|---|---|---|"
        yield from rows


def _examples(command: Any) -> list[str]:
    return [line for line in (command.epilog or "").replace("\b", "").splitlines() if line.strip().startswith("headwater")]


def _row(parameter: Any, *, connects: bool) -> str | None:
    if parameter.name == "help" or getattr(parameter, "hidden", False):
        return None
    if connects and set(parameter.opts) <= {"--nats-url", "--key", "--home"} and parameter.param_type_name == "option":
        return None
    if parameter.param_type_name == "argument":
        name, meaning = parameter.metavar or parameter.name.upper(), parameter.help or ""
    else:
        name, meaning = ", ".join((*parameter.opts, *parameter.secondary_opts)), parameter.help or ""
        if not parameter.is_flag and parameter.metavar:
            name += f" {parameter.metavar}"
        if parameter.multiple:
            meaning += " May be repeated."
    default = "required" if parameter.required else _default(parameter)
    cells = (f"`{name}`", " ".join(meaning.split()), default)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(parameter: Any) -> str:
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, str):
        return f"`{shown}`"
    value = parameter.default
    if not value or callable(value):
        return ""
    return f"`{getattr(value, 'value', value)}`"
