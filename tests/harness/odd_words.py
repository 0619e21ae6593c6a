"""Every command of the command line with odd words in every place that takes one, run in this process so that thousands are quick."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import typer

from harness.command_line import Ended
from headwater.cli.lazy_group import LazyGroup
from headwater.cli.main import app, main
from headwater.sdk.context.logging import get_logger

NO_ADDRESS = "nats://["
"""An address that is refused as it is read: what would go on for ever ends here at the latest."""

UNKNOWN_ID = "0199c0de-7a3e-7000-8000-0123456789ab"

FILES = {
    "bom.json": b'\xef\xbb\xbf{"x": 1}',
    "utf16.json": '{"x": 1}'.encode("utf-16"),
    "latin.json": b'{"x": "caf\xe9"}',
    "deep.json": b'{"x": ' + b"[" * 900 + b"]" * 900 + b"}",
    "digits.json": b'{"x": ' + b"9" * 5000 + b"}",
    "half.json": b'{"x": "\\ud800"}',
    "nan.json": b'{"x": NaN}',
    "empty.json": b"",
    "bytes.py": b"\x00\xff\xfe",
}

ODD = (
    *("", " ", ".", "..", "/", "~nobodyhere/x", "/nonexistent/x", "/dev/null", "/proc/self/mem"),
    *("\udce9", "caf\udce9.py", "\ud800", "x=\udce9", "\udce9=1", "🎉", "\u202e", "\ufeff", "\x1b[31m", "a\nb", "a\r\nb"),
    *("²", "٣", "-1", "0", "9" * 20, str(2**31), str(2**63), "9" * 5000, "1e400", "nan", "inf", "-inf"),
    *("n" * 256, "n" * 300 + ".py", "ü" * 200, "n" * 10_000),
    *("x=" + "[" * 600 + "]" * 600, "x=" + "[" * 90_000, '{"x": ' * 600 + "1" + "}" * 600, "[" * 100_000),
    *("x=" + "9" * 5000, "x=NaN", 'x="\\ud800"', '{"x": ' + "9" * 5000 + "}", '"\\ud800"', "x", "=", "x=", "{", "[", "**"),
    *(
        "0001-01-01",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2400-01-01",
        "²m",
        "1.5.5m",
        "9" * 400 + "d",
        "m",
        "99999999999d",
    ),
    *("*", ">", "hw.evt.>", "a b", "%s", "{0}", "'; DROP TABLE runs; --", "{" + UNKNOWN_ID + "}", UNKNOWN_ID.upper()),
    *(
        "http://[",
        "nats://[",
        "nats://nowhere:99999",
        "postgresql://[",
        ",",
        "a..b",
        ".os",
        "__main__",
        "load[²]",
        "load[" + "9" * 20 + "]",
    ),
    *FILES,
)

_RUN: dict[str, Any] = {"run": UNKNOWN_ID}
_FLOW: dict[str, Any] = {"flow": "hello-flow", "project": "odd"}
_SCHEDULE: dict[str, Any] = {"schedule": "hello-flow", "project": "odd"}
_LIMITED = {**_FLOW, "limit": "none"}
FINE: dict[str, dict[str, Any]] = {
    "create project": {"name": "odd"},
    "register": {"project": "odd", "path": "hello_flow.py"},
    "run": {"name": "hello-flow", "project": "odd"},
    "run flow": {"name": "hello-flow", "project": "odd"},
    "set concurrency": _LIMITED,
    "set max-attempts": _LIMITED,
    "set description": {**_FLOW, "text": "words"},
    "set labels": _FLOW,
    "set default-parameters": {**_FLOW, "param": "x=1"},
    "set queue-limit": {"limit": "none", "label": "odd"},
    "set state": {**_RUN, "state": "Success", "reason": "why"},
    "describe flow": {"flow": "hello-flow"},
    "describe tasks": {"flow": "hello-flow"},
    "delete project": {"name": "nowhere", "yes": True},
    "delete flow-run": {**_RUN, "yes": True},
    "open": {"what": "hello-flow", "only_print": True},
    "audit diff": {"before": "1", "after": "2"},
    "projections dead-letters show": {"name": "events:1"},
    "projections dead-letters retry": {"name": "events:1"},
    "schedules set": {**_SCHEDULE, "cron": "@daily"},
    **dict.fromkeys((f"schedules {each}" for each in ("describe", "pause", "resume", "delete", "explain", "check")), _SCHEDULE),
    **dict.fromkeys(("cancel", "resume", "restart", "explain", "get task-runs", "get logs", "describe flow-run"), _RUN),
}
"""What else a command needs so that a word is looked at."""

INSTEAD: dict[str, dict[str, tuple[str, ...]]] = {
    "schedules set": {"interval": ("schedule", "project"), "rrule": ("schedule", "project")},
    "run": {"flow_id": (), "path": (), "module": ()},
    "run flow": {"flow_id": (), "version_group_id": ()},
    "get logs": {"name": (), "run_id": ()},
    "describe flow": {"name": ()},
    "describe tasks": {"name": ()},
    "register": {"module": ("project",)},
}
"""Options that stand for others: with them only these are given."""

_UNDERSTOOD = {
    *("param", "context_values", "param_file", "parameters_string", "context_string", "parameters_file", "result", "since", "as_of"),
    *("before", "scheduled_at", "path"),
    *("cron", "interval", "rrule", "timezone", "start", "end", "window", "max_runs", "until", "at", "schedule"),
}
"""Places whose words are taken apart."""

_ENDLESS = {"demo"}
_STARTING = {"server start", "agent local start"}
"""What starts something is given an address that is refused."""


class Command(NamedTuple):
    """A command by its words, and what typer knows of it."""

    path: str
    found: Any


def commands() -> Iterator[Command]:
    """Every command there is, but those that go on by themselves whatever their arguments."""
    root = typer.main.get_command(app)
    assert isinstance(root, LazyGroup)
    for entry in root.table:
        yield from _below(root.loaded(entry), entry.name)


def _below(found: Any, path: str) -> Iterator[Command]:
    below = getattr(found, "commands", None) or {}
    if (not below or getattr(found, "invoke_without_command", False)) and path not in _ENDLESS:
        yield Command(path, found)
    for name, each in below.items():
        if not each.hidden:
            yield from _below(each, f"{path} {name}")


def calls(command: Command) -> Iterator[list[str]]:
    """The command with each odd word in each place, and with what it needs besides."""
    places = [each for each in command.found.params if each.name != "help" and not getattr(each, "is_flag", False)]
    for place in places:
        # The connection's own options are the same everywhere; one command is enough.
        if place.name in {"nats_url", "key", "home"} and command.path not in {"get projects", "doctor", "server status", "server start"}:
            continue
        # A third of the words is enough where they are names only, and all places together see all of them.
        first = places.index(place) % 3
        for word in ODD if place.name in _UNDERSTOOD else ODD[first::3]:
            if not (command.path in _STARTING and place.name in {"nats_url", "database_url"} and not word.strip()):
                yield [*command.path.split(), *_given(command, place, word)]


def _given(command: Command, place: Any, word: str) -> list[str]:
    fine: dict[str, Any] = FINE.get(command.path, {})
    if place.name in INSTEAD.get(command.path, {}):
        fine = {name: fine[name] for name in INSTEAD[command.path][place.name]}
    if command.path in _STARTING:
        fine = {**fine, "nats_url": NO_ADDRESS}
    options, arguments = [], []
    for each in command.found.params:
        value = word if each is place else fine.get(each.name)
        if value is None:
            continue
        if each.param_type_name == "argument":
            arguments.append(value)
        else:
            options.append(each.opts[0] if value is True else f"{each.opts[0]}={value}")
    return [*options, "--", *arguments]


def run_here(words: list[str]) -> Ended:
    """Run the command line in this process, with nothing on standard input; raises what it lets through."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    before = sys.argv, sys.stdin
    get_logger()  # a command may be the first that sets logging up, which is done once in a process
    loggers = [logging.getLogger(name) for name in ("headwater", "agent")]
    set_up = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    sys.argv, sys.stdin = ["headwater", *words], io.StringIO("")
    code: Any = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code
    finally:
        sys.argv, sys.stdin = before
        for logger, (handlers, level, propagates) in zip(loggers, set_up, strict=True):
            # What the command set up writes to streams that are gone.
            logger.handlers, logger.propagate = handlers, propagates
            logger.setLevel(level)
    printed = [each.buffer.getvalue().decode() for each in (out, err)]
    return Ended(code, *printed)


def write_files(directory: Path) -> None:
    for name, data in FILES.items():
        (directory / name).write_bytes(data)
