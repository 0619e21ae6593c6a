"""The socket between the process of a run and its supervisor: whole messages, whatever interrupts their sender.

The flow's code may be interrupted between any two steps, while it logs or records, in any thread. So a message travels in pieces that
the kernel takes whole or not at all, each with a number: what may have been sent is sent again, and what came before
is passed over.
"""

from __future__ import annotations

import socket
import struct
import sys
from typing import NamedTuple

from headwater.core.errors import HeadwaterError

PIECE_BYTES_MAX = 32 * 1024
_BUFFER_BYTES = 1024 * 1024
_HEADER = struct.Struct("<QIB")
_RECEIVE_BYTES = PIECE_BYTES_MAX + _HEADER.size
# Both keep the borders of what is sent; only the first tells that the other end is closed, and not every system has it.
_KIND = socket.SOCK_SEQPACKET if sys.platform == "linux" else socket.SOCK_DGRAM


class ChannelBroken(HeadwaterError):
    """What arrived is not a piece of a message: something else writes to the socket."""


class Piece(NamedTuple):
    """A part of the message of this number."""

    number: int
    place: int
    is_last: bool
    data: bytes


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new channel.

    Raises:
        OSError: no files are left.

    """
    return socket.socketpair(socket.AF_UNIX, _KIND)


def channel_of(descriptor: int) -> socket.socket:
    """Return the end of a channel that is this descriptor.

    Raises:
        OSError: it is none.

    """
    channel = socket.socket(fileno=descriptor)
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)  # a system that allows less takes as much as it does
    return channel


def pieces_of(number: int, data: bytes) -> list[bytes]:
    """Return the message of this number as the pieces in which it travels. Numbers grow; they need not be without gaps."""
    last = max(0, (len(data) - 1) // PIECE_BYTES_MAX)
    if not last:
        return [_HEADER.pack(number, 0, 1) + data]
    view = memoryview(data)
    chunks = (view[start : start + PIECE_BYTES_MAX] for start in range(0, len(data), PIECE_BYTES_MAX))
    return [_HEADER.pack(number, place, place == last) + chunk for place, chunk in enumerate(chunks)]


class MessageAssembler:
    """Puts pieces together again, in the order of their numbers, into messages of up to `bytes_max`."""

    def __init__(self, bytes_max: int = sys.maxsize) -> None:
        self._bytes_max = bytes_max
        self._number = 0
        self._next_place = 0
        self._parts: list[bytes] | None = None
        self._size = 0

    def feed(self, received: bytes) -> bytes | None:
        """Return the message that this piece completes; None where there is more to come, or it came before.

        Raises:
            ChannelBroken: it is not a piece.

        """
        piece = _piece_in(received)
        if piece.number < self._number or (piece.number == self._number and piece.place < self._next_place):
            return None
        if piece.number > self._number:
            self._number, self._next_place, self._size = piece.number, 0, 0
            self._parts = []
        if self._parts is None or piece.place != self._next_place:
            self._parts = None  # some of it is missing: its sender was interrupted for good
            return None
        self._next_place += 1
        self._size += len(piece.data)
        if self._size > self._bytes_max:
            raise ChannelBroken(f"A message has more than {self._bytes_max} bytes.")
        if piece.is_last and not self._parts:
            return piece.data
        self._parts.append(piece.data)
        return b"".join(self._parts) if piece.is_last else None


def _piece_in(received: bytes) -> Piece:
    if len(received) < _HEADER.size:
        raise ChannelBroken(f"A piece of {len(received)} bytes has no header.")
    number, place, last = _HEADER.unpack_from(received)
    return Piece(number, place, bool(last), received[_HEADER.size :])


def receive(channel: socket.socket, *, flags: int = 0) -> bytes | None:
    """Return the next piece; None where the other end is closed.

    Raises:
        BlockingIOError: nothing has arrived, and the socket, or `flags`, say not to wait.
        OSError: the descriptor is not a socket any more.

    """
    try:
        return channel.recv(_RECEIVE_BYTES, flags) or None
    except ConnectionError:
        return None
