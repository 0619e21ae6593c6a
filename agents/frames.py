"""Messages on a stream between an agent and a process that it keeps: each after its length."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

NO_DESCRIPTOR = -1
"""Stands for a descriptor that came along and for which this process had no room."""

_LENGTH = struct.Struct("!I")
_READ_BYTES = 256 * 1024
_DESCRIPTORS_MAX = 64


def frame_of(data: bytes) -> bytes:
    """Return the message as it travels."""
    return _LENGTH.pack(len(data)) + data


class Frames:
    """Cuts what arrives into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the messages that are complete with `data`."""
        self._buffer += data
        while len(self._buffer) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer)
            end = _LENGTH.size + length
            if len(self._buffer) < end:
                return
            message = bytes(self._buffer[_LENGTH.size : end])
            del self._buffer[:end]
            yield message


def receive_data(channel: socket.socket) -> bytes | None:
    """Return what has arrived; None where the other end is closed.

    Raises:
        BlockingIOError: nothing has arrived yet.

    """
    try:
        return channel.recv(_READ_BYTES) or None
    except ConnectionError:
        return None


def receive_with_descriptors(channel: socket.socket, descriptors: list[int], *, of_each: int) -> bytes | None:
    """Return what has arrived, adding the descriptors that came along, so many with each message; None where the other end is closed.

    Descriptors for which this process has no room are NO_DESCRIPTOR.

    Raises:
        BlockingIOError: nothing has arrived yet.

    """
    try:
        data, received, flags, _ = socket.recv_fds(channel, _READ_BYTES, _DESCRIPTORS_MAX)
    except ConnectionError:
        return None
    if flags & socket.MSG_CTRUNC:  # there was no room for them here; those of one message come at a time
        for descriptor in received:
            os.close(descriptor)
        received = [NO_DESCRIPTOR] * of_each
    descriptors.extend(received)
    return data or None
