"""Why the servers cannot be started, stopped or reached; all below `headwater.core.errors.HeadwaterError`.

HeadwaterError
└── ServerError
    ├── HomeUnusable         the home directory cannot be made or written
    ├── AlreadyRunning       another server holds the home
    ├── NotRunning           no server holds the home
    ├── PortTaken            something else listens on the port
    ├── PortRefused          the system does not let us have the port
    ├── AddressUnusable      this machine has no such address
    ├── ServerPartMissing    a program we start is not installed
    ├── ComponentFailed      a program we start ended before it was ready
    ├── LogLost              the log is not the one that the views were made of, and shorter
    ├── DetachedStartFailed  the server in the background ended before it was ready
    └── NotStopping          the server was told to stop and did not
"""

from __future__ import annotations

from pathlib import Path

from headwater.core.errors import HeadwaterError


class ServerError(HeadwaterError):
    """The server, or one of the servers inside it, could not do what was asked."""


class HomeUnusable(ServerError):
    """The home directory cannot be created, entered or written."""

    def __init__(self, home: Path, reason: str, *, full: bool = False, hint: str | None = None) -> None:
        self.home = home
        to_do = "free space on the disk that holds it" if full else "change its permissions"
        super().__init__(
            f"The home directory {home} cannot be used: {reason}.",
            hint=hint or f"Choose another one with --home or HEADWATER_HOME, or {to_do}.",
        )


class AlreadyRunning(ServerError):
    """Another server holds this home."""

    def __init__(self, home: Path, *, pid: int | None, addresses: dict[str, str]) -> None:
        self.home, self.pid, self.addresses = home, pid, addresses
        who = f" (pid {pid})" if pid else ""
        where = "".join(f"\n  {name}: {url}" for name, url in addresses.items()) or " It is still starting."
        super().__init__(
            f"A Headwater server already runs in {home}{who}.{where}",
            hint="Use it, stop it with `headwater server stop`, or start another in a home of its own with --home.",
        )


class NotRunning(ServerError):
    """No server holds this home."""

    def __init__(self, home: Path) -> None:
        self.home = home
        super().__init__(f"No Headwater server runs in {home}.", hint="Start one with `headwater server start`.")


class PortTaken(ServerError):
    """Something else listens on the port that was asked for."""

    def __init__(self, port: int, *, option: str, host: str = "127.0.0.1") -> None:
        self.port, self.option, self.host = port, option, host
        super().__init__(
            f"Port {port} on {host} is in use.",
            hint=f"Choose another one with {option} ({option} 0 picks a free one).",
        )


class PortRefused(ServerError):
    """The operating system does not let us listen on the port that was asked for."""

    def __init__(self, port: int, reason: str, *, option: str, host: str = "127.0.0.1") -> None:
        self.port, self.option, self.host = port, option, host
        super().__init__(
            f"Port {port} on {host} cannot be used: {reason}.",
            hint=f"Choose another one with {option} ({option} 0 picks a free one).",
        )


class AddressUnusable(ServerError):
    """The address that the pages were to be served on is not one of this machine's."""

    def __init__(self, host: str, reason: str, *, option: str = "--host") -> None:
        self.host, self.option = host, option
        super().__init__(
            f"Pages cannot be served on {host!r}: {reason}.",
            hint=f"Give {option} an IPv4 address of this machine, or 0.0.0.0 for all of them.",
        )


class ServerPartMissing(ServerError):
    """A program that the server starts is not installed."""

    def __init__(self, program: str, *, option: str) -> None:
        self.program = program
        super().__init__(
            f"{program} is not installed in this environment.",
            hint=f"Install it with `pip install 'headwater[server]'`, or name a running one with {option}.",
        )


class ComponentFailed(ServerError):
    """A server inside the server ended before it was ready. `log_tail` holds the last lines it wrote."""

    def __init__(self, name: str, reason: str, *, log: Path | None = None, log_tail: str = "", hint: str | None = None) -> None:
        self.name, self.reason, self.log, self.log_tail = name, reason, log, log_tail
        words = f"{name} did not start: {reason}"
        if log_tail:
            words += f"\nIts last lines:\n{log_tail}"
        super().__init__(words, hint=hint or (f"All it wrote is in {log}." if log else None))


class LogLost(ServerError):
    """The views show more commits than the log holds: it was lost, cut or replaced. They are left as they are."""

    def __init__(self, *, shown: int, reached: int, same: bool) -> None:
        self.shown, self.reached = shown, reached
        holds = f"the log here ends at position {reached}" if reached else "the log here is empty"
        why = (
            "it lost commits, or was restored from an older copy"
            if same
            else "it is not the log they were made of, which is lost or elsewhere"
        )
        super().__init__(
            f"The views in PostgreSQL show {shown} commits, and {holds}: {why}. The server does not start, so that they are not replaced.",
            hint="Put the log back (a copy of the home's nats/ folder, or the NATS server's own backup) and start again. To go on with the "
            "log that is here, and rebuild the views from it: `headwater server start --accept-new-log`.",
        )


class DetachedStartFailed(ServerError):
    """The server in the background ended before it was ready. `said` holds what it printed, its own error included."""

    def __init__(self, exit_code: int, *, log: Path, said: str) -> None:
        self.exit_code, self.log, self.said = exit_code, log, said
        lines = [f"  {line}" for line in said.splitlines() if line.strip() and not line.startswith("Starting Headwater in ")]
        super().__init__(
            "\n".join(["The server in the background did not start. It said:", *lines])
            if lines
            else f"The server ended with exit code {exit_code} before it was ready, and said nothing.",
            hint=f"What it printed is in {log}.",
        )


class NotStopping(ServerError):
    """The server was told to stop and still runs. `pid` is None where it never said which process it is."""

    def __init__(self, home: Path, *, pid: int | None, waited_seconds: float) -> None:
        self.home, self.pid = home, pid
        who = "" if pid is None else f" (pid {pid})"
        super().__init__(
            f"The server of {home}{who} was told to stop and still runs after {waited_seconds:.0f} s.",
            hint=None if pid is None else f"End it with `kill -9 {pid}`: no acknowledged command is lost, and the next start works.",
        )
