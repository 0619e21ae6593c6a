"""What people see: tables that fit the terminal, JSON for programs, words on standard error, colours where they help.

Data goes to standard output, words about it to standard error. Nothing here is coloured with `NO_COLOR`, or outside of a terminal.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from headwater.core.text import tame
from headwater.core.values.plain_values import shortened

if TYPE_CHECKING:
    from headwater.core.errors import HeadwaterError

_ROWS_AT_ONCE = 1_000
"""The columns of a table are as wide as so many rows need; where there are more, they only grow."""


class OutputForm(StrEnum):
    """How a listing is printed."""

    TABLE = "table"
    JSON = "json"


Output = Annotated[OutputForm, typer.Option("--output", "-o", metavar="table|json", help="A table for people, or JSON.")]
"""The option `--output`, the same on every listing."""


def examples(*lines: str) -> str:
    """Return the end of a command's help: how it is used, each line as typed."""
    heading = "Example:" if len(lines) == 1 else "Examples:"
    return "\b\n" + "\n".join([heading, *(f"  {line}" for line in lines)])


def echo_stderr(words: str = "", *, end: str = "\n") -> None:
    """Tell the person something that is not the answer itself."""
    print(words, end=end, file=sys.stderr, flush=True)


@contextmanager
def progress(words: str) -> Iterator[None]:
    """Say what is being done now, and when it is done or has failed."""
    echo_stderr(words, end="")
    try:
        yield
    except BaseException:
        echo_stderr(f" {coloured('Error', 'red', sys.stderr)}")
        raise
    echo_stderr(f" {coloured('Done', 'green', sys.stderr)}")


def warn(words: str) -> None:
    """Tell the person something that may be wrong."""
    echo_stderr(f"{coloured('Warning:', 'yellow', sys.stderr)} {words}")


def ask_confirmation(question: str, *, default: bool) -> bool:
    """Ask on standard error and return the answer; where no user can answer, it is no."""
    echo_stderr(f"{question} [{'Y/n' if default else 'y/N'}]:", end=" ")
    try:
        answer = sys.stdin.readline() if sys.stdin is not None else ""
    except UnicodeDecodeError:
        answer = ""
    if not answer:
        echo_stderr()
        return False
    return answer.strip().lower() in {"y", "yes"} or (default and not answer.strip())


def traceback_of_users_code(error: HeadwaterError) -> list[str]:
    """Return the traceback of what the user's code raised, where that is behind the error; else nothing."""
    storage_errors = sys.modules.get("headwater.sdk.storage.errors")
    if storage_errors is None or error.__cause__ is None:
        return []
    if not isinstance(error, storage_errors.FlowNotLoadable | storage_errors.FlowNotStorable):
        return []
    import traceback

    return "".join(traceback.format_exception(error.__cause__)).splitlines()


def show_error(error: HeadwaterError) -> None:
    """Say what went wrong, why, and what to do."""
    for line in traceback_of_users_code(error) or _traceback(error):
        echo_stderr(line)
    echo_stderr(f"{coloured('Error:', 'red', sys.stderr)} {error}")
    for note in getattr(error, "__notes__", ()):
        if note != f"hint: {error.hint}":
            echo_stderr(note)
    if error.hint:
        echo_stderr(f"{coloured('hint:', 'cyan', sys.stderr)} {error.hint}")


def show_system_error(error: OSError) -> None:
    """Say what the operating system refused: a file, a folder, a pipe or an address."""
    for line in _traceback(error):
        echo_stderr(line)
    words = error.strerror or str(error) or type(error).__name__
    where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
    echo_stderr(f"{coloured('Error:', 'red', sys.stderr)} {words}{where}.")
    if not _tells_tracebacks():
        echo_stderr(f"{coloured('hint:', 'cyan', sys.stderr)} HEADWATER_TRACEBACK=1 shows where that happened.")


def show_fault(error: Exception) -> None:
    """Report an unexpected error."""
    for line in _traceback(error):
        echo_stderr(line)
    words = " ".join(str(error).split())
    kind = type(error).__name__
    echo_stderr(f"{coloured('Error:', 'red', sys.stderr)} {kind}: {shortened(words, 500)}" if words else f"Error: {kind}")
    if _tells_tracebacks():
        echo_stderr("This is a fault of Headwater, not yours. Please report it with what stands above.")
    else:
        echo_stderr("This is a fault of Headwater, not yours. Please report it with the traceback, which HEADWATER_TRACEBACK=1 shows.")


def _traceback(error: Exception) -> list[str]:
    """Return the traceback, where the environment wants it."""
    if not _tells_tracebacks():
        return []
    import traceback

    return "".join(traceback.format_exception(error)).splitlines()


def _tells_tracebacks() -> bool:
    """Tell whether the traceback of whatever ends a command is wanted: by those who look for a fault."""
    from headwater.core.errors import SettingsError
    from headwater.core.program.settings import TRACEBACK

    try:
        return TRACEBACK.value()
    except SettingsError:
        return True  # it was set, to whatever


def in_colours(stream: TextIO) -> bool:
    """Tell whether what is written there may be coloured."""
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def coloured(words: str, colour: str, stream: TextIO | None = None) -> str:
    """Return the words in a colour (a name, or `#rrggbb`) where the stream takes colours."""
    if not in_colours(stream or sys.stdout):
        return words
    if colour.startswith("#"):
        red, green, blue = bytes.fromhex(colour[1:])
        return typer.style(words, fg=(red, green, blue))
    return typer.style(words, fg=colour)


LEVEL_COLOURS = {"DEBUG": "blue", "INFO": "white", "WARNING": "yellow", "ERROR": "red", "CRITICAL": "bright_red"}
"""Colours of the levels of log lines."""


def state_colour(state: str) -> str:
    """Return the colour of a state's name, the same one everywhere."""
    from headwater.sdk.states.state import State

    return next((kind.color for kind in State.children() if kind.__name__ == state), "#808080")


def state_words(state: str) -> str:
    """Return a state's name in its colour."""
    return coloured(state, state_colour(state)) if in_colours(sys.stdout) else state


def print_json(value: Any) -> None:
    """Print rows, or one of them, as JSON."""
    sys.stdout.write(_formatted(value, 0) + "\n")


def print_json_parts(parts: Iterable[tuple[str, Any]]) -> None:
    """Print a JSON object, as `print_json` would, of parts by name. Those that are iterators are printed as `print_json_list` does."""
    separator = "{"
    for name, value in parts:
        sys.stdout.write(f'{separator}\n  "{name}": ')
        if isinstance(value, Iterator):
            _print_elements(value, indent=2)
        else:
            sys.stdout.write(_formatted(value, 2))
        separator = ","
    sys.stdout.write("\n}\n")


def print_json_list(elements: Iterable[Any]) -> None:
    """Print a JSON list, as `print_json` would, an element at a time: there may be millions."""
    _print_elements(elements, indent=0)
    sys.stdout.write("\n")


def _print_elements(elements: Iterable[Any], *, indent: int) -> None:
    separator = "["
    for element in elements:
        sys.stdout.write(f"{separator}\n{' ' * (indent + 2)}{_formatted(element, indent + 2)}")
        separator = ","
    sys.stdout.write("[]" if separator == "[" else f"\n{' ' * indent}]")


def _formatted(value: Any, indent: int) -> str:
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=2).decode()
    return text.replace("\n", "\n" + " " * indent)


@dataclass(frozen=True)
class TableColumn:
    """A column of a table. One that is `whole` is never cut to fit the terminal (ids are for copying).

    `colours` are those of its cells, by their first word.
    """

    heading: str
    whole: bool = False
    is_state: bool = False
    right: bool = False
    colours: Mapping[str, str] = field(default_factory=dict)

    def colour_of(self, cell: str) -> str | None:
        """Return the colour in which a cell of it is shown; None: none of its own."""
        return state_colour(cell) if self.is_state else self.colours.get(cell.partition(" ")[0])


def print_table(columns: Sequence[TableColumn], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table that fits the terminal; where the output goes elsewhere, nothing is cut. Of very many rows no more are held at once."""
    from headwater.cli.table import fitted, natural_widths

    limit = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    cells = ([format_cell(value) for value in row] for row in rows)
    block = [[column.heading for column in columns], *islice(cells, _ROWS_AT_ONCE)]
    natural = [0] * len(columns)
    has_heading = True
    while block:
        natural = natural_widths(block, natural)
        _print_block(columns, block, fitted(block, columns, natural, limit), has_heading=has_heading)
        block, has_heading = list(islice(cells, _ROWS_AT_ONCE)), False


def _print_block(columns: Sequence[TableColumn], cells: Sequence[Sequence[str]], lines: Sequence[list[str]], *, has_heading: bool) -> None:
    for number, line in enumerate(lines):
        if not in_colours(sys.stdout):
            shown = line
        elif has_heading and number == 0:
            shown = [typer.style(cell, bold=True) for cell in line]
        else:
            colours = [column.colour_of(cell) for column, cell in zip(columns, cells[number], strict=True)]
            shown = [cell if colour is None else coloured(cell, colour) for cell, colour in zip(line, colours, strict=True)]
        print("  ".join(shown).rstrip())


def format_cell(value: Any) -> str:
    """Return a value as a person reads it in a table or a description."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return local_time(value)
        case tuple() | list():
            return tame(", ".join(map(str, value))) or "-"
        case _:
            return tame(str(value))


def local_time(moment: datetime) -> str:
    """Return the moment on this machine's clock, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def age(moment: datetime, *, now: datetime | None = None) -> str:
    """Return how long ago the moment was, such as `2 hours ago`."""
    return span((now or datetime.now(UTC)) - moment) + " ago"


def span(length: timedelta) -> str:
    """Return a length of time in its largest fitting unit, such as `3 minutes`."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size in (("year", 31_557_600), ("month", 2_629_800), ("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{seconds} second{'' if seconds == 1 else 's'}"
