"""Command lines for people to copy: what a shell makes of them is what was meant, whatever names and labels hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

HEADWATER = "headwater"


def command_line(command: str, *names: str, options: Iterable[tuple[str, str]] = (), in_quotes: bool = False) -> str:
    """Return `headwater <command>` with these names as its arguments and these options, quoted for a shell where that is needed.

    Args:
        command: the words of the command, such as `create project`.
        names: its arguments; one that begins with a dash is not taken for an option.
        options: pairs of an option and its value; an empty value: a flag.
        in_quotes: quote the names also where no shell needs it, as in `create project 'etl'`.

    """
    given = [shlex.join([option, value] if value else [option]) for option, value in options]
    named = [_in_quotes(name) if in_quotes else shlex.quote(name) for name in names]
    behind_dashes = any(name.startswith("-") for name in names)
    words = [*given, "--", *named] if behind_dashes else [*named, *given]
    return " ".join([HEADWATER, command, *words])


def start_agent_command(labels: Iterable[str], *, here: str | None = None) -> str:
    """Return how to start an agent that takes runs with these labels; `here` is the name of the machine where it is to be typed."""
    known = sorted(labels)
    flags = [] if here in known else [("--no-hostname-label", "")]
    return command_line("agent local start", options=[*flags, *(("-l", label) for label in known if label != here)])


def _in_quotes(name: str) -> str:
    quoted = shlex.quote(name)
    return quoted if quoted.startswith(("'", '"')) else f"'{quoted}'"
