"""Every setting that the environment can give, in one table: its variable, what it may be, its default, what it means.

Options on the command line and arguments in code win over the environment. `docs/reference/settings.md` is made from this table.
Variables with two underscores after `HEADWATER` (`HEADWATER__SECTION__KEY`) are the SDK's configuration, not settings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from headwater.core.errors import SettingsError
from headwater.core.program.server_file import ServerFile, ServerFileUnreadable, read_server_file
from headwater.core.program.user_paths import SET_HOME, HomeUnavailable, user_path
from headwater.core.values.plain_values import problem_of_text

PREFIX = "HEADWATER_"
DEFAULT_NATS_URL = "nats://127.0.0.1:4222"
DEFAULT_HTTP_URL = "http://127.0.0.1:8080"
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LOG_FORMATS = ("text", "json")
SECONDS_MAX = 10**9

Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class Setting(Generic[Value]):
    """One variable. `form` says in words what it may be, `default` gives and `shown_default` tells what holds where it is unset.

    `read` turns its text into the value; a ValueError from it carries the words for the operator.
    """

    variable: str
    form: str
    default: Callable[[], Value]
    shown_default: str
    meaning: str
    read: Callable[[str], Value]

    def value(self, environment: Mapping[str, str] | None = None) -> Value:
        """Return the value the environment gives, or the default where it gives none (an empty text is none).

        Raises:
            SettingsError: the text there cannot be such a value.

        """
        text = (os.environ if environment is None else environment).get(self.variable, "").strip()
        if not text:
            return self.default()
        if (problem := problem_of_text(text)) is not None:
            raise SettingsError(f"{self.variable} cannot be used: {problem}.", hint=f"It must be {self.form}.")
        try:
            return self.read(text)
        except ValueError as error:
            raise SettingsError(f"{self.variable}={text!r} cannot be used: {error}.", hint=f"It must be {self.form}.") from None


def directory(text: str) -> Path:
    """Return the directory that the text names, from the root on.

    Raises:
        SettingsError: it cannot be one, or (HomeUnavailable) it begins with `~`, and there is no such home.

    """
    if (problem := problem_of_text(text)) is not None:
        # Addresses of files in it go to other programs, and into the log.
        raise SettingsError(f"{text!r} cannot be the home: {problem}.", hint="Choose a directory whose name is UTF-8 text.")
    return user_path(text, hint=SET_HOME).absolute()


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError("it is neither yes nor no")


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < SECONDS_MAX:
        raise ValueError("it is below 0 or beyond all time")
    return seconds


def _one_of(*choices: str, upper: bool = False) -> Callable[[str], str]:
    def read(text: str) -> str:
        chosen = text.upper() if upper else text.lower()
        if chosen not in choices:
            raise ValueError(f"it is none of {', '.join(choices)}")
        return chosen

    return read


HOME = Setting[Path](
    variable="HEADWATER_HOME",
    form="a directory",
    default=lambda: directory("~/.headwater"),
    shown_default="`~/.headwater`",
    meaning="The home directory: data and addresses of the embedded servers, and stored flows and results.",
    read=directory,
)
NATS_URL = Setting[str | None](
    variable="HEADWATER_NATS_URL",
    form="one or more addresses of NATS servers, separated by commas",
    default=lambda: None,
    shown_default=f"what `server.json` in the home says, else `{DEFAULT_NATS_URL}`",
    meaning="The one address that clients and agents need.",
    read=str,
)
KEY = Setting[str | None](
    variable="HEADWATER_KEY",
    form="the key the server was started with",
    default=lambda: None,
    shown_default="none",
    meaning="The shared key: a server started with it demands it of everyone, and clients and agents send it.",
    read=str,
)
DATABASE_URL = Setting[str | None](
    variable="HEADWATER_DATABASE_URL",
    form="a PostgreSQL address",
    default=lambda: None,
    shown_default="an embedded PostgreSQL",
    meaning="The database of the views. Only the server reads it.",
    read=str,
)
UI_URL = Setting[str | None](
    variable="HEADWATER_UI_URL",
    form="an address that starts with http:// or https://",
    default=lambda: None,
    shown_default=f"what `server.json` in the home says, else `{DEFAULT_HTTP_URL}`",
    meaning="What the printed addresses of flows and runs begin with.",
    read=lambda text: text.rstrip("/"),
)
LOG_LEVEL = Setting[str](
    variable="HEADWATER_LOG_LEVEL",
    form=f"one of {', '.join(LOG_LEVELS)}",
    default=lambda: "INFO",
    shown_default="`INFO`",
    meaning="The least level at which Headwater, and flows through Headwater's loggers, log.",
    read=_one_of(*LOG_LEVELS, upper=True),
)
LOG_FORMAT = Setting[str](
    variable="HEADWATER_LOG_FORMAT",
    form=f"one of {', '.join(LOG_FORMATS)}",
    default=lambda: "text",
    shown_default="`text`",
    meaning="How the server and agents write their own log lines: for people, or one JSON object a line.",
    read=_one_of(*LOG_FORMATS),
)
TRACEBACK_SOURCE = Setting[bool](
    variable="HEADWATER_TRACEBACK_SOURCE",
    form="yes or no (also 1/0, true/false, on/off)",
    default=lambda: False,
    shown_default="no",
    meaning="Whether tracebacks of failed tasks that go into the log carry the text of the source lines.",
    read=_flag,
)
TRACEBACK = Setting[bool](
    variable="HEADWATER_TRACEBACK",
    form="yes or no (also 1/0, true/false, on/off)",
    default=lambda: False,
    shown_default="no",
    meaning="Whether the command line shows the traceback of the error that ends it.",
    read=_flag,
)
ACTOR = Setting[str | None](
    variable="HEADWATER_ACTOR",
    form="a short text",
    default=lambda: None,
    shown_default="`<user>@<host>`",
    meaning="Who the audit trail says did what you do on the command line and in scripts.",
    read=str,
)
PROJECT = Setting[str | None](
    variable="HEADWATER_PROJECT",
    form="a project's name",
    default=lambda: None,
    shown_default="none",
    meaning="The project whose keys `headwater kv` and scripts mean where they name none. A run means its own.",
    read=str,
)

RETRY_IN_PROCESS_SECONDS = Setting[float](
    variable="HEADWATER_RETRY_IN_PROCESS_SECONDS",
    form="a number of seconds",
    default=lambda: 600.0,
    shown_default="`600`",
    meaning="How long a run's process waits for a retry; for a later one it ends, and the run goes on in another then.",
    read=_seconds,
)

KEPT_VALUES_DAYS = Setting[float](
    variable="HEADWATER_KEPT_VALUES_DAYS",
    form="a number of days; 0 keeps them for ever",
    default=lambda: 30.0,
    shown_default="`30`",
    meaning="How long after a run has ended a local agent lets values lie that the run kept for further attempts.",
    read=_seconds,
)

SETTINGS: tuple[Setting[Any], ...] = (
    HOME,
    NATS_URL,
    KEY,
    DATABASE_URL,
    UI_URL,
    LOG_LEVEL,
    LOG_FORMAT,
    TRACEBACK_SOURCE,
    TRACEBACK,
    ACTOR,
    PROJECT,
    RETRY_IN_PROCESS_SECONDS,
    KEPT_VALUES_DAYS,
)

INTERNAL_PREFIX = "HEADWATER_INTERNAL_"
"""Variables that one of our processes sets for another; they are not a user's settings."""


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Return the variables that look like settings and are none, each with the name of the setting that was likely meant."""
    known = {setting.variable.removeprefix(PREFIX): setting.variable for setting in SETTINGS}
    unknown = [
        name
        for name in sorted(environment)
        if name.startswith(PREFIX) and not name.startswith((PREFIX + "_", INTERNAL_PREFIX)) and name not in known.values()
    ]
    # Only what follows the prefix is compared: with it, everything resembles everything.
    near = {name: get_close_matches(name.removeprefix(PREFIX), known, n=1) for name in unknown}
    return {name: known[near[name][0]] if near[name] else None for name in unknown}


class ConnectionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the server is, the key it wants, and what the addresses of pages begin with.

    `found_in_home`: the address is what the home's `server.json` says, and may be another one when the server is restarted.
    `home` is None where this user has none, and the address is known without.
    """

    nats_url: str
    key: str | None
    http_url: str
    home: Path | None
    found_in_home: bool = False


def connection_settings(
    nats_url: str | None = None, key: str | None = None, home: Path | str | None = None, *, environment: Mapping[str, str] | None = None
) -> ConnectionSettings:
    """Return how to reach the server: what is given here, else the environment, else the home's `server.json`, else the defaults.

    A `home` given here without an address means the server of that home, whatever address the environment names.

    Raises:
        SettingsError: a variable or `server.json` holds what it cannot; or there is no home, or none that may be read, and no address.

    """
    addressed = nats_url is not None or (home is None and NATS_URL.value(environment) is not None)
    chosen_home, server = _home_and_server(home, environment, needed=not addressed)
    address = nats_url or (None if home is not None and server is not None else NATS_URL.value(environment))
    found_in_home = address is None and server is not None
    if address is None:
        address = DEFAULT_NATS_URL if server is None else server.nats_url
    http_url = UI_URL.value(environment)
    if http_url is None:
        http_url = server.http_url if server is not None and server.nats_url == address else DEFAULT_HTTP_URL
    return ConnectionSettings(
        nats_url=address, key=key or KEY.value(environment), http_url=http_url, home=chosen_home, found_in_home=found_in_home
    )


def _home_and_server(
    home: Path | str | None, environment: Mapping[str, str] | None, *, needed: bool
) -> tuple[Path | None, ServerFile | None]:
    """Return the home and what its server says of itself. Unless they are needed, None stands for a home that cannot be had or read."""
    found: Path | None = None
    try:
        found = HOME.value(environment) if home is None else directory(str(home))
        return found, read_server_file(found)
    except (HomeUnavailable, ServerFileUnreadable):
        if needed:
            raise
        return found, None


def settings_table() -> str:
    """Return the table of all settings in Markdown."""
    rows = [f"| `{s.variable}` | {s.form} | {s.shown_default} | {s.meaning} |" for s in SETTINGS]
    return "\n".join(["| variable | value | default | meaning |", "|---|---|---|---|", *rows]) + "\n"
