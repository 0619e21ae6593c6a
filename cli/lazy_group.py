"""A group of commands whose modules are imported only when one of them is called, so that `headwater --help` stays fast."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


@dataclass(frozen=True)
class LazyCommand:
    """A command by the module that holds it: a typer app named `app`, or a function named `command`.

    `help` is the line in the list of commands. `connects` says that it talks to a server: then it takes the connection options too.
    """

    name: str
    module: str
    help: str
    connects: bool = True


class LazyGroup(TyperGroup):
    """Shows its commands by the table and imports what is called. Subclasses set `table` and may extend `loaded`."""

    table: ClassVar[tuple[LazyCommand, ...]] = ()

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        # Names and help lines are all that `--help`, suggestions and shell completion need.
        self.commands.update({entry.name: TyperCommand(entry.name, short_help=entry.help) for entry in self.table})

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        entry = next((entry for entry in self.table if entry.name == name), None)
        return name, found if entry is None else self.loaded(entry), rest

    def loaded(self, entry: LazyCommand) -> Any:
        """Return the real command, plain in its help and errors like all others."""
        module = import_module(entry.module)
        app = getattr(module, "app", None)
        if not isinstance(app, typer.Typer):
            app = typer.Typer(add_completion=False)
            app.command(entry.name)(module.command)
        command = typer.main.get_command(app)
        command.name = entry.name
        for each in tree(command):
            # Boxes and colours cost a tenth of a second and cannot be searched or piped.
            each.rich_markup_mode = None
        return command


def tree(command: Any) -> list[Any]:
    """Return the command and all commands below it."""
    below = getattr(command, "commands", {})
    return [command, *(each for child in below.values() for each in tree(child))]
