"""Choosing a port on loopback before something is told to listen on it, so that a clash has a clear message."""

from __future__ import annotations

import errno
import socket

from headwater.server.errors import PortRefused, PortTaken
from headwater.server.nats_server import LOOPBACK


def bind_port(port: int, *, option: str) -> socket.socket:
    """A socket bound to this port (0: a free one), not listening yet: nobody is let in before there is a service.

    Raises:
        PortTaken: something else listens there; `option` is the command-line option the message names.
        PortRefused: the system does not let us have it (a port below 1024, out of range).

    """
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Connections that ended a moment ago must not keep a restarted server from its port.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((LOOPBACK, port))
    except OverflowError:
        bound.close()
        raise PortRefused(port, "a port is a number from 0 to 65535", option=option) from None
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(port, option=option) from None
        raise PortRefused(port, error.strerror or str(error), option=option) from error
    return bound


def choose_port(port: int, *, option: str) -> int:
    """The number of a port for a program that binds it itself: `port`, if it is free, or a free one for 0.

    Raises:
        PortTaken: something else listens there.
        PortRefused: the system does not let us have it.

    """
    with bind_port(port, option=option) as bound:
        return port_of(bound)


def port_of(bound: socket.socket) -> int:
    """The number of the port this socket is bound to."""
    number: int = bound.getsockname()[1]
    return number
