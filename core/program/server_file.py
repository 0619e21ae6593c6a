"""`server.json` in the Headwater home: where a running server says how to reach it.

The server writes it when it is ready and removes it when it stops. Clients of the same user read it when they were
given no address.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from headwater.core.errors import SettingsError

FILE_NAME = "server.json"


class ServerFile(msgspec.Struct, frozen=True, kw_only=True):
    """The addresses of a running server. Never holds the key."""

    nats_url: str
    http_url: str
    database_url: str
    pid: int
    version: str


class ServerFileUnreadable(SettingsError):
    """The home, or the file in it, belongs to another user."""


def read_server_file(home: Path) -> ServerFile | None:
    """What the server of this home says of itself; None where there is no such file.

    A server that was killed leaves its file behind, so an address found here may answer no more.

    Raises:
        SettingsError: the file is there and cannot be read, or is not what a server writes.

    """
    path = home / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=ServerFile)
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return None
    except PermissionError as error:
        raise ServerFileUnreadable(
            f"{path} cannot be read: permission denied.",
            hint="It belongs to another user: set HEADWATER_NATS_URL to the server's address, or HEADWATER_HOME to a home of your own.",
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"{path} cannot be read: {error}.",
            hint="Remove the file and start the server again, or set HEADWATER_NATS_URL to the server's address.",
        ) from error


def server_address(home: Path) -> str | None:
    """Return where the server of this home is by now, as its file says; None where that is not known."""
    try:
        server = read_server_file(home)
    except SettingsError:
        return None
    return None if server is None else server.nats_url
