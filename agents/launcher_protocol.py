"""What an agent and its zygote say to each other: messages of JSON on a pair of sockets.

An order to launch travels with two descriptors: where the run's process writes its output, and its end of the channel to its supervisor.
"""

from __future__ import annotations

import socket

import msgspec

from headwater.agents.frames import Frames, frame_of, receive_data, receive_with_descriptors

LAUNCH_DESCRIPTORS = 2


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
    return frame_of(_encode(message))


def read_answers(channel: socket.socket, frames: Frames) -> list[Answer] | None:
    """Return the answers that have arrived; None where the zygote is gone.

    Raises:
        BlockingIOError: nothing has arrived yet.

    """
    data = receive_data(channel)
    return None if data is None else [_decode_answer(message) for message in frames.feed(data)]


def read_requests(channel: socket.socket, frames: Frames, descriptors: list[int]) -> list[Request] | None:
    """Return the requests that have arrived, adding the descriptors that came along; None where the agent is gone.

    Descriptors for which this process has no room are NO_DESCRIPTOR.
    """
    data = receive_with_descriptors(channel, descriptors, of_each=LAUNCH_DESCRIPTORS)
    return None if data is None else [_decode_request(message) for message in frames.feed(data)]
