"""What an agent and its supervisor say to each other: frames, as to the zygote. The agent's end closes when the agent is gone."""

from __future__ import annotations

import socket

import msgspec

from headwater.agents.attempt_spec import RunSnapshot
from headwater.agents.frames import Frames, frame_of, receive_data, receive_with_descriptors
from headwater.agents.launcher import AttemptReport


class Connect(msgspec.Struct, frozen=True, omit_defaults=True, tag="connect"):
    """Connect to the log. `home`: its `server.json` tells where the server is by now; empty where the address is fixed."""

    nats_url: str
    name: str
    key: str | None = None
    home: str = ""


class Attend(msgspec.Struct, frozen=True, omit_defaults=True, tag="attend"):
    """Speak to the log for this attempt. The supervisor's end of its channel comes along.

    `known` spares a look into the log.
    """

    launch_id: int
    run_id: str
    attempt: int
    known: RunSnapshot | None = None


class ProcessEnded(msgspec.Struct, frozen=True, tag="process-ended"):
    """The process of the attempt is gone: what it sent is all there is."""

    launch_id: int


class Reported(msgspec.Struct, frozen=True, tag="reported"):
    """What there is to say of the attempt: its end, or trouble with the log."""

    launch_id: int
    report: AttemptReport


class Started(msgspec.Struct, frozen=True, tag="started"):
    """It is recorded that the flow of the attempt runs."""

    launch_id: int


class NotAttended(msgspec.Struct, frozen=True, tag="not-attended"):
    """Nothing can be done for this attempt, and why: it must not begin."""

    launch_id: int
    reason: str


class MustEnd(msgspec.Struct, frozen=True, omit_defaults=True, tag="must-end"):
    """The attempt must end: it lost its run, the run is to be cancelled, or nothing of it can be recorded any more, for this reason."""

    launch_id: int
    reason: str = ""


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """All that the process sent is stored, as far as it ever will be. The answer to `ProcessEnded`."""

    launch_id: int


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The supervisor takes attempts."""

    pid: int


SupervisorRequest = Connect | Attend | ProcessEnded
SupervisorAnswer = Ready | Started | Reported | NotAttended | MustEnd | Closed

_encode = msgspec.json.Encoder().encode
_decode_request = msgspec.json.Decoder(SupervisorRequest).decode
_decode_answer = msgspec.json.Decoder(SupervisorAnswer).decode


def supervisor_frame(message: SupervisorRequest | SupervisorAnswer) -> bytes:
    """Return the message as it travels."""
    return frame_of(_encode(message))


def read_supervisor_requests(channel: socket.socket, frames: Frames, descriptors: list[int]) -> list[SupervisorRequest] | None:
    """Return the requests that have arrived, adding the descriptors that came along; None where the agent is gone.

    A descriptor for which this process has no room is NO_DESCRIPTOR.

    Raises:
        BlockingIOError: nothing has arrived yet.

    """
    data = receive_with_descriptors(channel, descriptors, of_each=1)
    return None if data is None else [_decode_request(message) for message in frames.feed(data)]


def read_supervisor_answers(channel: socket.socket, frames: Frames) -> list[SupervisorAnswer] | None:
    """Return the answers that have arrived; None where the supervisor is gone.

    Raises:
        BlockingIOError: nothing has arrived yet.

    """
    data = receive_data(channel)
    return None if data is None else [_decode_answer(message) for message in frames.feed(data)]
