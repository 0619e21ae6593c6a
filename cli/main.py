"""The command `headwater`: its words, each imported when it is called, and the one place where errors become messages."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any

import typer

from headwater.cli.connection import add_connection_options
from headwater.cli.lazy_group import LazyCommand, LazyGroup, tree
from headwater.cli.output import examples, show_error, show_fault, show_system_error, warn
from headwater.cli.readable import check_words
from headwater.cli.streams import ReaderGone, careful_streams
from headwater.core.program.exception_groups import unwrap_exception_group
from headwater.outside import outside

if TYPE_CHECKING:
    from headwater.core.errors import HeadwaterError


class HeadwaterCommands(LazyGroup):
    """All commands of the command line, in the order in which people meet them."""

    table = (
        LazyCommand("demo", "headwater.cli.commands.demo", "Show everything once: server, flow, agent, run.", connects=False),
        LazyCommand("server", "headwater.cli.commands.server", "Start, stop and look at the server.", connects=False),
        LazyCommand("create", "headwater.cli.commands.create", "Create projects."),
        LazyCommand("register", "headwater.cli.commands.register", "Register the flows of files and modules."),
        LazyCommand("agent", "headwater.cli.commands.agent", "Start agents, which execute runs."),
        LazyCommand("run", "headwater.cli.commands.run", "Create runs of flows, and watch them."),
        LazyCommand("schedules", "headwater.cli.commands.schedules", "Say when flows run by themselves; pause, check and explain."),
        LazyCommand("backfill", "headwater.cli.commands.backfill", "Let times of a schedule that are over have runs."),
        LazyCommand("cancel", "headwater.cli.commands.cancel", "Cancel a run, or a whole backfill."),
        LazyCommand("resume", "headwater.cli.commands.resume", "Let the paused tasks of a run go on."),
        LazyCommand("restart", "headwater.cli.commands.restart", "Execute again what failed of a run."),
        LazyCommand("explain", "headwater.cli.commands.explain", "Say why a run is not running, or how it ended."),
        LazyCommand("get", "headwater.cli.commands.get", "List projects, flows, runs, logs and agents."),
        LazyCommand("describe", "headwater.cli.commands.describe", "Tell all about a flow, a run, a task run or tasks."),
        LazyCommand("set", "headwater.cli.commands.set", "Limit the runs of a flow; set states manually."),
        LazyCommand("kv", "headwater.cli.commands.kv", "Set, get and list the keys of a project."),
        LazyCommand("delete", "headwater.cli.commands.delete", "Delete projects."),
        LazyCommand("open", "headwater.cli.commands.open", "Open the pages of a flow or run in the browser."),
        LazyCommand("events", "headwater.cli.commands.events", "Show what happened, event by event."),
        LazyCommand("audit", "headwater.cli.commands.audit", "Replay and compare the past from the log."),
        LazyCommand("projections", "headwater.cli.commands.projections", "Look at the views, and rebuild them."),
        LazyCommand("doctor", "headwater.cli.commands.doctor", "Check this installation and the server."),
        LazyCommand("version", "headwater.cli.commands.version", "Print Headwater's version.", connects=False),
    )

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        add_connection_options(self)

    def loaded(self, entry: LazyCommand) -> Any:
        command = super().loaded(entry)
        for each in tree(command):
            check_words(each)
            if entry.connects and each.callback is not None:
                add_connection_options(each)
        return command


app = typer.Typer(
    cls=HeadwaterCommands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Headwater: workflows whose every change of state is an event you can read, replay and trust after a crash.",
    epilog=examples(
        "headwater server start", "headwater create project tutorial", "headwater register --project tutorial -p hello_flow.py"
    ),
)


def print_version(wanted: bool) -> None:
    """Print the version and end, where that is wanted."""
    if wanted:
        from headwater import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[bool, typer.Option("--version", "-V", help="Print the version.", callback=print_version, is_eager=True)] = False,
) -> None:
    """Declare what may stand before the name of a command, besides the connection options."""


INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended, as shells have it."""


def warn_of_unknown_variables() -> None:
    """Say which `HEADWATER_...` variables mean nothing: a misspelt one is otherwise found late."""
    if not any(name.startswith("HEADWATER_") for name in os.environ):
        return
    from headwater.core.program.settings import unknown_variables

    for name, near in unknown_variables(os.environ).items():
        warn(f"{name} is not a setting of Headwater.{f' Did you mean {near}?' if near else ''}")


def main() -> None:
    """Run the command line; the entry point of the `headwater` program.

    Exit codes: 0 done (also where the reader of the output leaves early), 1 refused or failed, 2 wrong use, 130 interrupted.
    """
    code = 0
    named, outside.name_action = outside.name_action, _command_of  # hints name commands here
    try:
        with careful_streams():
            code = _exit_code()
    except ReaderGone:
        # A reader that wanted the first lines has them.
        pass
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        # What was printed could not be written to its end, as on a full disk.
        code = code or 1
        with suppress(OSError, ReaderGone), careful_streams():
            show_system_error(error)
    finally:
        outside.name_action = named
    sys.exit(code)


def _command_of(action: Any) -> str:
    from headwater.action_names import command_of

    return command_of(action)


def _exit_code() -> int:
    """Run the command, put its error into words, and return its exit code."""
    from headwater.core.errors import HeadwaterError

    try:
        with unwrap_exception_group():
            warn_of_unknown_variables()
            app(prog_name="headwater")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except Exception as error:  # noqa: BLE001 - the last place where it can become words
        # It has failed, also where they cannot be written.
        with suppress(ReaderGone):
            if isinstance(error, HeadwaterError):
                show_error(error)
            elif isinstance(error, OSError):
                show_system_error(error)
            elif (missing := _missing_package(error)) is not None:
                show_error(missing)
            else:
                show_fault(error)
    return 1


def _missing_package(error: Exception) -> HeadwaterError | None:
    from headwater.cli.missing_packages import missing_package

    return missing_package(error)
