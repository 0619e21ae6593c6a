"""Reads what JetStream answers: acknowledgements, errors, and the positions and times that travel in headers and reply subjects."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, NamedTuple

import msgspec
from nats.aio.msg import Msg

from headwater.core.log.commit import Position
from headwater.core.log.protocol import Recorded
from headwater.core.values.limits import is_instant

EVENTS = "EVENTS"
WORK = "WORK"
LOGS = "LOGS"
DEAD = "DEAD"
"""The streams of the log."""

EXPECTED = "Nats-Expected-Last-Subject-Sequence"
STATUS = "Status"
_SEQUENCE = "Nats-Sequence"

HEARTBEAT = "100"
END_OF_BATCH = "204"
NOT_FOUND = "404"
NOBODY_LISTENS = "503"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WRONG_LAST_SEQUENCE = 10071
_WRONG_LAST_SEQUENCE_IN_FLIGHT = 10164
_TOO_MANY_BATCHES = 10210
_BATCH_INCOMPLETE = 10176
_MESSAGE_TOO_LARGE = 10054
_FULL = {10023, 10028, 10047}  # insufficient resources, memory, storage
_STORE_FAILED = 10077
_FULL_WORDS = ("maximum bytes", "maximum messages", "no space", "insufficient", "resource limits", "disk full", "quota")


class ApiError(msgspec.Struct, frozen=True):
    """An error as JetStream's API states it."""

    code: int = 0
    err_code: int = 0
    description: str = ""

    @property
    def conflict(self) -> bool:
        return self.err_code in {_WRONG_LAST_SEQUENCE, _WRONG_LAST_SEQUENCE_IN_FLIGHT}

    @property
    def found(self) -> Position | None:
        """The subject's last sequence, where the error names it."""
        named = re.search(r"wrong last sequence: (\d+)", self.description)
        return int(named[1]) if named else None

    @property
    def full(self) -> bool:
        described = self.description.lower()
        return self.err_code in _FULL or (self.err_code == _STORE_FAILED and any(word in described for word in _FULL_WORDS))

    @property
    def too_large(self) -> bool:
        return self.err_code == _MESSAGE_TOO_LARGE

    @property
    def batch_lost(self) -> bool:
        """Whether parts of a batch were not kept until its end: its leader changed, or found no room for them. Nothing was written."""
        return self.err_code == _BATCH_INCOMPLETE

    @property
    def passing(self) -> bool:
        """Whether the same request may succeed a moment later: an election, a leader that steps down, batches in flight or lost."""
        return self.code == 503 or self.err_code == _TOO_MANY_BATCHES or self.batch_lost  # noqa: PLR2004 - "unavailable", as in HTTP

    def __str__(self) -> str:
        return f"{self.description} ({self.err_code})"


class ApiAnswer(msgspec.Struct, frozen=True):
    """What every answer of JetStream's API holds, and what it may hold. Its type distinguishes it from what else is sent as an answer."""

    type: Annotated[str, msgspec.Meta(pattern=r"\Aio\.nats\.jetstream\.api\.v1\.[a-z_]+_response\Z")]
    error: ApiError | None = None


class Acknowledgement(msgspec.Struct, frozen=True):
    """JetStream's answer to a published message."""

    stream: str = ""
    seq: int = 0
    error: ApiError | None = None


_decode_acknowledgement = msgspec.json.Decoder(Acknowledgement).decode


def acknowledgement(message: Msg) -> Acknowledgement:
    """Read the answer to a published message.

    Raises:
        ValueError: it is none.

    """
    answer = _decode_acknowledgement(message.data)
    if answer.error is None and not (answer.stream and answer.seq > 0):
        raise ValueError("it names no stream and position")
    return answer


def acknowledgement_or_nothing(message: Msg) -> Acknowledgement | None:
    """Read the answer to the first message of a batch: nothing where it was taken in."""
    return acknowledgement(message) if message.data else None


class StoredMessage(msgspec.Struct, frozen=True):
    """A message as `STREAM.MSG.GET` returns it."""

    subject: str
    seq: int
    time: str
    data: bytes = b""

    def __post_init__(self) -> None:
        moment(self.time)


def status(message: Msg) -> str | None:
    """Return the status where this is a word from the server, None where it is a message of a stream, whatever headers that was given."""
    headers = message.headers
    return None if headers is None or _SEQUENCE in headers else headers.get(STATUS)


class End(NamedTuple):
    """The status message that ends many answers, and how many messages were left when it was sent."""

    status: str
    pending: int


def end(message: Msg) -> End:
    """Read the status message that ends many answers.

    Raises:
        ValueError: it is none.

    """
    said = status(message) or ""
    if said not in {END_OF_BATCH, NOT_FOUND, NOBODY_LISTENS}:
        raise ValueError(f"the status {said} ends no answers")
    return End(said, int((message.headers or {}).get("Nats-Num-Pending", 0)))


def moment(text: str) -> datetime:
    """Return the time in the server's RFC 3339 text, cut to microseconds.

    Raises:
        ValueError: it is none, has no zone, or is out of what every program can take.

    """
    found = datetime.fromisoformat(text)
    if not is_instant(found):
        raise ValueError(f"{text!r} is not a time that a server tells")
    return found


def moment_of_nanoseconds(nanoseconds: int) -> datetime:
    """Return the time so many nanoseconds after 1970, cut to microseconds as `moment` does."""
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def recorded_of_stored(stored: StoredMessage) -> Recorded:
    return Recorded(stored.seq, stored.subject, moment(stored.time), stored.data)


def recorded_of_headers(message: Msg) -> Recorded:
    """Return the commit of a direct get or of the live feed: where it lies is in the headers."""
    headers = message.headers or {}
    return Recorded(int(headers[_SEQUENCE]), headers["Nats-Subject"], moment(headers["Nats-Time-Stamp"]), message.data)


class Announced(NamedTuple):
    """What the live feed announces: a commit, and the position that it follows on its subject."""

    recorded: Recorded
    previous: Position


def announced(message: Msg) -> Announced | None:
    """Read a message of the live feed; None where it is none."""
    try:
        return Announced(recorded_of_headers(message), int((message.headers or {})["Nats-Last-Sequence"]))
    except (KeyError, ValueError, OverflowError):
        return None


class Delivered(NamedTuple):
    """What the reply subject of a consumed message tells."""

    consumer: str
    deliveries: int
    position: Position
    order: int
    at: datetime
    pending: int


def delivered(reply: str) -> Delivered | None:
    """Read `$JS.ACK.[<domain>.<account>.]<stream>.<consumer>.<deliveries>.<position>.<order>.<time>.<pending>[.<token>]`.

    None where it is none: anyone may write to an inbox.
    """
    try:
        return _delivered(reply)
    except (IndexError, ValueError, OverflowError):
        return None


def _delivered(reply: str) -> Delivered:
    parts = reply.split(".")
    first = 2 if len(parts) == 9 else 4  # noqa: PLR2004 - the short form has nine parts
    return Delivered(
        consumer=parts[first + 1],
        deliveries=int(parts[first + 2]),
        position=int(parts[first + 3]),
        order=int(parts[first + 4]),
        at=moment_of_nanoseconds(int(parts[first + 5])),
        pending=int(parts[first + 6]),
    )
