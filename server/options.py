"""The options of `headwater server start`."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Literal

import msgspec

from headwater.core.errors import SettingsError
from headwater.core.program.user_paths import user_path

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

REPLICAS_MAX = 5
_RETENTION_DAYS_MAX = 36_500
_KEY_LENGTH_MAX = 256
# nats-server would take such a key for the hash of another one.
_LOOKS_LIKE_BCRYPT = re.compile(r"\$2[abxy]\$\d{2}\$")


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Options of one server. A port of 0 picks a free one. `host` is the IPv4 address that the pages are served on.

    With `nats_url` or `database_url` the server uses what runs there and starts none of its own. `key` is demanded
    of every client by the embedded NATS; with `nats_url` it is what we show to the NATS there. `nats_monitor_port`
    opens the embedded NATS server's own monitoring (HTTP, loopback). `replicas` is how many nodes of the cluster at
    `nats_url` keep the log (3 in production); the embedded server is one node. `accept_new_log` lets the views be rebuilt from a log
    that is shorter than what they show.

    Raises, when made:
        SettingsError: a value is out of range or malformed.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = 8080
    nats_port: int = 4222
    nats_monitor_port: int | None = None
    key: str | None = None
    nats_url: str | None = None
    database_url: str | None = None
    log_level: LogLevel = "INFO"
    log_retention_days: float = 7.0
    replicas: int = 1
    accept_new_log: bool = False

    def __post_init__(self) -> None:
        if self.key is not None:
            check_key(self.key)
        if not 0 < self.log_retention_days <= _RETENTION_DAYS_MAX:
            raise SettingsError(
                f"Run logs cannot be kept for {self.log_retention_days:g} days.",
                hint=f"Give --log-retention-days a number above 0, and of at most {_RETENTION_DAYS_MAX}.",
            )
        if not 1 <= self.replicas <= REPLICAS_MAX:
            raise SettingsError(f"A log has 1 to {REPLICAS_MAX} replicas, not {self.replicas}.")
        if self.nats_url is None and self.replicas != 1:
            raise SettingsError(
                "The embedded NATS server is one node and cannot keep more than one replica.",
                hint="Name a cluster with --nats-url, or leave --replicas at 1.",
            )
        if self.nats_url is not None and self.nats_monitor_port is not None:
            raise SettingsError("--nats-monitor-port is for the embedded NATS server; with --nats-url there is none.")


def read_key_file(path: Path) -> str:
    """The key in this file; white space around it does not belong to it.

    Raises:
        SettingsError: the file cannot be read, or what it holds cannot be a key.

    """
    try:
        key = user_path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The key file {path} cannot be read: {error}.") from error
    if not key:
        raise SettingsError(
            f"The key file {path} is empty.",
            hint=f"`python -c 'import secrets; print(secrets.token_urlsafe(32))' > {shlex.quote(str(path))}` makes a good key.",
        )
    check_key(key)
    return key


def check_key(key: str) -> None:
    """Refuses what cannot serve as a shared key.

    Raises:
        SettingsError: it is empty, too long, not printable ASCII without spaces, or looks like a password hash.

    """
    if not key or len(key) > _KEY_LENGTH_MAX or not key.isascii() or not key.isprintable() or " " in key:
        raise SettingsError(
            f"A key is 1 to {_KEY_LENGTH_MAX} printable ASCII characters without spaces.",
            hint="`python -c 'import secrets; print(secrets.token_urlsafe(32))'` makes a good one.",
        )
    if _LOOKS_LIKE_BCRYPT.match(key):
        raise SettingsError("A key must not look like a bcrypt hash ($2a$...): NATS would compare its hash instead.")
