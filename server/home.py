"""The Headwater home directory: what lies where, and the lock by which one server at a time holds it."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import msgspec

from headwater.core.errors import SettingsError
from headwater.core.program.server_file import ServerFile, read_server_file
from headwater.core.program.settings import directory
from headwater.server.errors import AlreadyRunning, HomeUnusable

_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What a file system answers that knows no locks, as some that lie on other machines do."""


class Home(msgspec.Struct, frozen=True):
    """The files of one home. Everything below it is made for the owner's eyes only."""

    path: Path

    @property
    def lock_file(self) -> Path:
        return self.path / "server.lock"

    @property
    def nats_dir(self) -> Path:
        """The nats-server's configuration, and the log itself: the one folder worth a backup."""
        return self.path / "nats"

    @property
    def postgres_dir(self) -> Path:
        """The views; may be deleted while the server is stopped, they are folded from the log again."""
        return self.path / "postgres"

    @property
    def socket_dir(self) -> Path:
        return self.path / "run"

    @property
    def logs_dir(self) -> Path:
        return self.path / "logs"

    @property
    def server_log(self) -> Path:
        return self.logs_dir / "server.log"


def open_home(path: Path) -> Home:
    """Makes the home and its folders where they are missing (mode 0700), and checks that it can be written.

    Raises:
        HomeUnusable: it cannot be made, entered or written.

    """
    home = Home(directory(str(path)))
    with usable(home):
        for folder in (home.path, home.nats_dir, home.postgres_dir, home.logs_dir):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _open_lock_file(home).close()
    return home


@contextmanager
def usable(home: Home) -> Iterator[None]:
    """Says of a refusal of the operating system, while the block touches the home, that the home is what was refused.

    Raises:
        HomeUnusable: the block raised OSError.

    """
    try:
        yield
    except OSError as error:
        reason = "it is a file, and not a directory" if home.path.is_file() else error.strerror or str(error)
        raise HomeUnusable(home.path, reason, full=error.errno in {errno.ENOSPC, errno.EDQUOT}) from error


@contextmanager
def lock_home(home: Home) -> Iterator[None]:
    """Holds the home for this process while the block runs.

    The lock is the kernel's: it ends with the process, however that ends, so nothing stale is ever left.

    Raises:
        AlreadyRunning: another process holds it.

    """
    with _open_lock_file(home) as file:
        if not _lock(home, file):
            raise already_running(home)
        with usable(home):
            # Not by the file's own buffer: what a full disk refuses would be tried again when the file is closed.
            os.ftruncate(file.fileno(), 0)
            os.pwrite(file.fileno(), str(os.getpid()).encode(), 0)
        yield


def is_held(home: Home) -> bool:
    """Whether a server runs (or starts, or is about to end) in this home."""
    with usable(home):
        try:
            file = home.lock_file.open()
        except (FileNotFoundError, NotADirectoryError):
            return False
    with file, _lockable(home):
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def holder_pid(home: Home) -> int | None:
    """The process that holds the home. Means something only while it is held; None where it has not said so yet."""
    text = home.lock_file.read_text().strip()
    return int(text) if text.isdigit() else None


def holder_file(home: Home) -> ServerFile | None:
    """The `server.json` of the process that holds the home; None while it starts, or where a killed one left it."""
    content = read_server_file(home.path)
    return content if content is not None and content.pid == holder_pid(home) else None


def already_running(home: Home) -> AlreadyRunning:
    """The error that says who holds the home, and at which addresses."""
    try:
        content = holder_file(home)
    except SettingsError:
        content = None  # a garbled file must not hide that the home is held
    addresses = {} if content is None else {"NATS": content.nats_url, "HTTP": content.http_url}
    return AlreadyRunning(home.path, pid=holder_pid(home), addresses=addresses)


@contextmanager
def _lockable(home: Home) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise HomeUnusable(
            home.path, "its file system has no locks", hint="Put the home on a local disk, with --home or HEADWATER_HOME."
        ) from error


def _lock(home: Home, file: TextIO) -> bool:
    for pause_seconds in (0.005, 0.02, 0.05, None):
        try:
            with _lockable(home):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if pause_seconds is None:
                return False
            time.sleep(pause_seconds)  # `is_held` takes the lock for a moment; that must not look like a server
        else:
            return True
    return False


def _open_lock_file(home: Home) -> TextIO:
    return os.fdopen(os.open(home.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")
