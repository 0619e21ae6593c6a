"""What an agent and its zygote say to each other: messages of JSON, each after its length, on a pair of sockets.

An order to launch travels with two descriptors: where the run's process writes its output, and where it writes its report.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

import msgspec

_LENGTH = struct.Struct("!I")
_READ_BYTES = 256 * 1024
_DESCRIPTORS_MAX = 64

LAUNCH_DESCRIPTORS = 2
NO_DESCRIPTOR = -1
REPORT_DESCRIPTOR = 3
"""The descriptor on which a run's process tells how its attempt ended."""
LIFELINE_DESCRIPTOR = 4
"""The descriptor that breaks when no agent supervises the run's process any more."""


class Launch(msgspec.Struct, frozen=True, tag="launch"):
    """Start a process: forked from the zygote, or as a new interpreter where `cold`."""

    launch_id: int
    environment: dict[str, str]
    directory: str
    cold: bool = False


class Signal(msgspec.Struct, frozen=True, tag="signal"):
    """Send a signal to the process of a launch and all it started."""

    launch_id: int
    number: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The zygote is warm."""

    pid: int


class Launched(msgspec.Struct, frozen=True, tag="launched"):
    """The process runs; its id is its group's as well."""

    launch_id: int
    pid: int


class NotLaunched(msgspec.Struct, frozen=True, tag="not-launched"):
    """No process could be started for this launch, and why."""

    launch_id: int
    reason: str


class Ended(msgspec.Struct, frozen=True, tag="ended", omit_defaults=True):
    """The process and all it started are gone. `status` is the exit status, or the negative number of the signal that ended it.

    `peak_bytes` is the most memory it had; `out_of_memory` tells whether the kernel killed it for want of memory, of which it and those
    with it may have `memory_max` bytes (None: all there is).
    """

    launch_id: int
    status: int
    peak_bytes: int = 0
    out_of_memory: bool = False
    memory_max: int | None = None


Request = Launch | Signal
Answer = Ready | Launched | NotLaunched | Ended

_encode = msgspec.json.Encoder().encode
_decode_request = msgspec.json.Decoder(Request).decode
_decode_answer = msgspec.json.Decoder(Answer).decode


def frame(message: Request | Answer) -> bytes:
    """Return the message as it travels."""
    data = _encode(message)
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


def read_answers(channel: socket.socket, frames: Frames) -> list[Answer] | None:
    """Return the answers that have arrived; None where the zygote is gone.

    Raises:
        BlockingIOError: nothing has arrived yet.

    """
    try:
        data = channel.recv(_READ_BYTES)
    except ConnectionError:
        return None
    return [_decode_answer(message) for message in frames.feed(data)] if data else None


def read_requests(channel: socket.socket, frames: Frames, descriptors: list[int]) -> list[Request] | None:
    """Return the requests that have arrived, adding the descriptors that came along; None where the agent is gone.

    Descriptors for which this process has no room are NO_DESCRIPTOR.
    """
    try:
        data, received, flags, _ = socket.recv_fds(channel, _READ_BYTES, _DESCRIPTORS_MAX)
    except ConnectionError:
        return None
    if flags & socket.MSG_CTRUNC:  # there was no room for them here; those of one launch come at a time
        for descriptor in received:
            os.close(descriptor)
        received = [NO_DESCRIPTOR] * LAUNCH_DESCRIPTORS
    descriptors.extend(received)
    return [_decode_request(message) for message in frames.feed(data)] if data else None
