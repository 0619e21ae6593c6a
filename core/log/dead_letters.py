"""Messages that were set aside by programs that keep no table: with their bytes, where they lay, and why.

A dead letter among the facts or the log lines needs none of this: its stream keeps it, and the views keep its position and reason. A
work item is gone once it is taken out of its queue, so the program that does that keeps it here first.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from headwater.core.errors import CommitUnreadable
from headwater.core.log.codec import message_decoder
from headwater.core.values.identifiers import digest
from headwater.core.values.limits import Instant

KEPT_BYTES_MAX = 900 * 1024
"""Of a message that is larger the rest is cut off; the broker takes 1 MB, and its own words need room."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A message set aside: `subject` is where it lay, `reported_by` who found it. `data` are the first of its `size` bytes, or all."""

    subject: str
    reason: str
    reported_by: str
    at: datetime
    data: bytes
    size: int

    @property
    def id(self) -> str:
        """The same for the same message, so that one that is found twice is kept once."""
        return digest("dead letter", self.subject, self.data.hex())


class _Head(msgspec.Struct, frozen=True):
    subject: str
    reason: str
    reported_by: str
    at: Instant
    size: int


_encode = msgspec.json.Encoder().encode
_decode_head = message_decoder(_Head)


def dead_letter(subject: str, data: bytes, reason: str, *, reported_by: str, at: datetime) -> DeadLetter:
    """Return the dead letter of this message."""
    return DeadLetter(subject=subject, reason=reason, reported_by=reported_by, at=at, data=data[:KEPT_BYTES_MAX], size=len(data))


def encode_dead_letter(letter: DeadLetter) -> bytes:
    """Return one message: a line that tells about the letter, and then its bytes as they were."""
    return _encode(_Head(letter.subject, letter.reason, letter.reported_by, letter.at, letter.size)) + b"\n" + letter.data


def decode_dead_letter(data: bytes, *, subject: str, at: datetime) -> DeadLetter:
    """Return the letter in these bytes. Garbage that another program put among the dead letters is one, too."""
    head, _, kept = data.partition(b"\n")
    try:
        told = _decode_head(head)
    except CommitUnreadable as error:
        return dead_letter(subject, data, f"It lies among the dead letters and is none: {error.reason}", reported_by="", at=at)
    return DeadLetter(
        subject=told.subject, reason=told.reason, reported_by=told.reported_by, at=told.at, data=kept, size=max(told.size, len(kept))
    )
