"""Choosing a port on loopback before a program listens on it, so that a clash has a clear message."""

from __future__ import annotations

import errno
import socket

from headwater.server.errors import AddressUnusable, PortRefused, PortTaken
from headwater.server.nats.nats_server import LOOPBACK

HTTP_PORT_OPTION = "--port"
EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - chosen by the operator, for containers


def bind_port(port: int, *, option: str, host: str = LOOPBACK) -> socket.socket:
    """A socket bound to this port (0: a free one) at this IPv4 address, not listening yet.

    Raises:
        PortTaken: something else listens there; `option` is the command-line option the message names.
        PortRefused: the system does not let us have it (a port below 1024, out of range).
        AddressUnusable: this machine has no such address.

    """
    address = _ipv4(host)
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Connections that ended a moment ago must not keep a restarted server from its port.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((address, port))
    except OverflowError:
        bound.close()
        raise PortRefused(port, "a port is a number from 0 to 65535", option=option, host=host) from None
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port, option=option, host=host) from None
        if error.errno == errno.EADDRNOTAVAIL:
            raise AddressUnusable(host, "no network of this machine has this address") from None
        raise PortRefused(port, error.strerror or str(error), option=option, host=host) from error
    return bound


def _ipv4(host: str) -> str:
    """Return the address that the name stands for.

    Raises:
        AddressUnusable: it stands for none, or for an IPv6 address only.

    """
    if not host.strip():
        # The system takes no address for all addresses, which no user means who says nothing.
        raise AddressUnusable(host, "it is empty")
    try:
        return socket.gethostbyname(host)
    except (OSError, UnicodeError, ValueError) as error:
        if ":" in host or host.lower().startswith("ip6-"):
            raise AddressUnusable(host, "pages are served on IPv4 addresses only") from None
        raise AddressUnusable(host, getattr(error, "strerror", None) or "that is not the name of a machine") from None


def choose_port(port: int, *, option: str) -> int:
    """The number of a port for a program that binds it itself: `port`, if it is free, or a free one for 0.

    Raises:
        PortTaken: something else listens there.
        PortRefused: the system does not let us have it.

    """
    with bind_port(port, option=option) as bound:
        return _number(bound)


class HttpPort:
    """The port that the pages are served on: ours from the start, so that a clash is seen before anything is started.

    It listens at once; who connects early waits for the service that takes the socket. `close_unless_reserved` gives
    the port back where there is none, so that no caller waits for ever.

    Raises, when made:
        PortTaken, PortRefused, AddressUnusable: as `bind_port`.
    """

    def __init__(self, port: int, host: str = LOOPBACK) -> None:
        self._socket = bind_port(port, option=HTTP_PORT_OPTION, host=host)
        self._taken = False
        try:
            self._socket.listen()
        except OSError:  # bound by another server that listens since
            self._socket.close()
            raise PortTaken(port, option=HTTP_PORT_OPTION, host=host) from None
        self.url = f"http://{LOOPBACK if host == EVERY_ADDRESS else host}:{_number(self._socket)}"

    def reserve(self) -> socket.socket:
        """The listening socket, for the service that answers there. The service closes it, or leaves that to the server."""
        self._taken = True
        return self._socket

    def close_unless_reserved(self) -> None:
        """Gives the port back if no service answers there."""
        if not self._taken:
            self._socket.close()

    def close(self) -> None:
        """Gives the port back."""
        self._socket.close()


def _number(bound: socket.socket) -> int:
    number: int = bound.getsockname()[1]
    return number
