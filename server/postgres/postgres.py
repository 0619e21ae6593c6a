"""The embedded PostgreSQL 18: making its data directory, its command line, its address, its readiness.

It listens on a Unix socket only, and lets in one user: the one who runs the Headwater server ("peer": the kernel says
who asks). So there is no port to collide, no password to keep, and a restart keeps the address.

Durability. `synchronous_commit` is off: views are folded from the log, and the projector's checkpoint moves in the
transaction of the rows, so losing the last transactions in a crash means folding them again. `fsync` stays on: without
it a power cut may leave *torn* files that PostgreSQL starts with and only fails on later; that is not reliably noticed,
so it cannot be answered by a rebuild.
"""

from __future__ import annotations

import errno
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import msgspec
import psutil

from headwater.server.errors import ComponentFailed
from headwater.server.supervision.child_process import SystemUser, ended_with_parent, find_postgres_programs

MAJOR_VERSION = "18"
ROLE = "headwater"
DATABASE = "headwater"
PORT = 5432
"""Part of the socket's file name; nothing listens on a port of this number."""

# Fast shutdown: clients are sent away, a checkpoint is written, and the next start has nothing to recover.
STOP_SIGNAL = signal.SIGINT
_ACCOUNTS_FOR_ROOT = ("postgres", "nobody")
_NO_PROCESS = 2**22 + 1
"""An id beyond the largest that systems give."""
_LIST_CHARACTERS = ',"'
"""PostgreSQL and its clients take lists of folders, separated and quoted by these."""
_SOCKET_PATH_LIMIT = 103  # macOS; Linux allows 107
_INITDB_SECONDS = 120.0
_TAIL_CHARACTERS = 2000


class PostgresPaths(msgspec.Struct, frozen=True):
    """Where one PostgreSQL keeps its data, and the folder of its socket."""

    data_dir: Path
    socket_dir: Path

    def database_url(self, database: str = DATABASE) -> str:
        """The address for asyncpg, psql and everything else that takes a PostgreSQL URL."""
        return f"postgresql://{ROLE}@/{quote(database)}?host={quote(str(self.socket_dir), safe='')}&port={PORT}"


def choose_socket_dir(wanted: Path) -> Path:
    """`wanted`, or a short stand-in of its own where its path is too long for a Unix socket, or reads as a list of several."""
    is_one = not any(character in str(wanted) for character in _LIST_CHARACTERS)
    if is_one and len(os.fsencode(wanted / f".s.PGSQL.{PORT}")) <= _SOCKET_PATH_LIMIT:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"headwater-{os.getuid()}-{digest}"


def account() -> SystemUser | None:
    """The account PostgreSQL runs as: ours (None), or an unprivileged one when we are root, as which it refuses to run.

    Raises:
        ComponentFailed: we are root and there is no such account.

    """
    if os.getuid() != 0:
        return None
    for name in _ACCOUNTS_FOR_ROOT:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemUser(name=name, uid=entry.pw_uid, gid=entry.pw_gid)
    raise ComponentFailed(
        "PostgreSQL",
        "it refuses to run as root, and this system has no unprivileged account to run it as",
        hint="Start the server as another user, or name a running PostgreSQL with --database-url.",
    )


def prepare(place: PostgresPaths) -> None:
    """Makes the data directory where there is none of this version, and the files that change with each start.

    Takes about half a second the first time, nothing afterwards; blocks. A directory is complete or not there: it is
    made under another name first. One of another major version is replaced, since every view is folded from the log.

    Raises:
        ComponentFailed: PostgreSQL could not make it.

    """
    try:
        _prepare(place, account())
    except OSError as error:
        raise ComponentFailed(
            "PostgreSQL",
            f"its folders cannot be made ({error})",
            hint="Free disk space, or start the server as another user, or name a running PostgreSQL with --database-url.",
        ) from error


def _prepare(place: PostgresPaths, user: SystemUser | None) -> None:
    _make_own_folder(place.socket_dir, user)
    if _version_of(place.data_dir) != MAJOR_VERSION:
        unfinished = place.data_dir.with_name(place.data_dir.name + ".unfinished")
        for leftover in (unfinished, place.data_dir):
            if leftover.exists():
                shutil.rmtree(leftover)
        _make_own_folder(unfinished, user)
        _initialise(unfinished, user)
        unfinished.rename(place.data_dir)
    _write_admission(place.data_dir, user)
    _forget_foreign_pid(place.data_dir)


def server_command(place: PostgresPaths, *, durable: bool = True) -> list[str | Path]:
    """The command line of `postgres` in the foreground. `durable=False` is for tests: a power cut may tear files."""
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(place.socket_dir),
        "unix_socket_permissions": "0700",
        "port": PORT,
        "max_connections": 50,
        "fsync": "on" if durable else "off",
        "synchronous_commit": "off",
        # The views are not replicated; minimal WAL makes bulk loads (rebuilds) cheaper.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        # Hundreds of short queries, no analytics: compiling them costs more than it saves.
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "logging_collector": "off",
    }
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    return [find_postgres_programs() / "postgres", "-D", place.data_dir, *arguments]


def is_ready(place: PostgresPaths, pid: int) -> bool:
    """Whether the postmaster with this process id says that it takes connections."""
    try:
        lines = (place.data_dir / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]


def program_environment() -> dict[str, str]:
    """The environment of every PostgreSQL program: no user's PG* variables and locale may change what it does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _initialise(data_dir: Path, user: SystemUser | None) -> None:
    programs = find_postgres_programs()
    initdb: list[str | Path] = [
        *(programs / "initdb", "--pgdata", data_dir, "--username", ROLE, "--auth", "peer", "--no-sync"),
        # Order by bytes, case by Unicode: the same on every machine, whatever its locales.
        *("--encoding", "UTF8", "--no-locale", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
    ]
    _run_program(initdb, user)
    _run_program([programs / "postgres", "--single", "-F", "-D", data_dir, "postgres"], user, words=f"CREATE DATABASE {DATABASE}\n")
    if f"\n{DATABASE}" not in (listing := _databases(programs, data_dir, user)):
        raise ComponentFailed("PostgreSQL", f"the database {DATABASE} was not made", log_tail=listing[-_TAIL_CHARACTERS:])
    method = ["--sync-method", "syncfs"] if sys.platform == "linux" else []
    _run_program([programs / "initdb", "--sync-only", *method, "--pgdata", data_dir], user)


def _databases(programs: Path, data_dir: Path, user: SystemUser | None) -> str:
    """The names of the databases, each on a line. The single-user backend exits 0 even when a command failed."""
    query = "SELECT string_agg(E'\\n' || datname, '') FROM pg_database\n"
    return _run_program([programs / "postgres", "--single", "-F", "-D", data_dir, "postgres"], user, words=query)


def _run_program(command: list[str | Path], user: SystemUser | None, *, words: str = "") -> str:
    done = subprocess.run(  # noqa: S603  (our own program, no shell)
        ended_with_parent(command, death_signal=signal.SIGKILL, user=user),
        input=words,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=_INITDB_SECONDS,
        env=program_environment(),
        cwd="/",
    )
    if done.returncode != 0:
        name = Path(command[0]).name
        raise ComponentFailed("PostgreSQL", f"{name} failed ({done.returncode})", log_tail=done.stdout[-_TAIL_CHARACTERS:])
    return done.stdout


def _version_of(data_dir: Path) -> str | None:
    try:
        return (data_dir / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        return None


def _write_admission(data_dir: Path, user: SystemUser | None) -> None:
    """Says who may connect: the account this server runs as, over the socket, as our role. No other account."""
    ours = pwd.getpwuid(os.getuid()).pw_name
    files = {
        "pg_hba.conf": f"local all {ROLE} peer map=headwater\n",
        "pg_ident.conf": f'headwater "{ours}" {ROLE}\n',
    }
    for name, text in files.items():
        path = data_dir / name
        path.write_text(text)
        path.chmod(0o600)
        if user is not None:
            os.chown(path, user.uid, user.gid)


def _forget_foreign_pid(data_dir: Path) -> None:
    """Takes the process id out of a `postmaster.pid` that names a living process which is not a PostgreSQL.

    In a container process ids start over, so after a crash the file may name any of our processes, and PostgreSQL would
    refuse to start for ever. The rest of the file stays: by it PostgreSQL notices workers that outlived their parent.
    """
    path = data_dir / "postmaster.pid"
    try:
        first, *rest = path.read_text().splitlines(keepends=True)
        process = psutil.Process(int(first))
        postgres_lives = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
    except (FileNotFoundError, psutil.NoSuchProcess):
        return  # what PostgreSQL itself cleans up
    except ValueError:
        path.unlink()  # cut off while it was written
        return
    if not postgres_lives:
        path.write_text("".join([f"{_NO_PROCESS}\n", *rest]))


def _make_own_folder(path: Path, user: SystemUser | None) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    owners = {os.getuid()} if user is None else {os.getuid(), user.uid}
    # The stand-in for a long path lies in the public temporary folder: another user may have laid a trap there.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in owners:
        raise PermissionError(errno.EPERM, "it belongs to another user, or is a link", str(path))
    path.chmod(0o700)
    if user is not None:
        os.chown(path, user.uid, user.gid)
