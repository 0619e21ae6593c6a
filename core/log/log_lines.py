"""Log lines as bytes, several to a message.

Here a line becomes one that can be stored, whatever the program that logged it put into it: text that is not UTF-8 is escaped, and what
is out of the limits is brought within them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from headwater.core.errors import CommitUnreadable
from headwater.core.log import subjects
from headwater.core.log.codec import message_decoder
from headwater.core.log.protocol import LogLine, Recorded, RecordedLines, Unreadable
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.limits import INT32_MAX, NAME_CHARACTERS_MAX, TIME_MAX, TIME_MIN, is_instant, out_of_range

MESSAGE_BYTES_MAX = 256 * 1024
"""A message holds lines up to this size: one write costs one fsync, and a follower need not wait for a megabyte."""

LINE_CHARACTERS_MAX = 100_000
"""A longer line is cut, and says so."""

_decode = message_decoder(tuple[LogLine, ...])


def encode_lines(lines: Sequence[LogLine]) -> Iterator[bytes]:
    """Yield the lines, in order, as the bytes of one or more messages; nothing for no lines."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        encoded = json_bytes(_within_limits(line))
        if held and size + len(encoded) > MESSAGE_BYTES_MAX:
            yield b"[" + b",".join(held) + b"]"
            held, size = [], 0
        held.append(encoded)
        size += len(encoded) + 1
    if held:
        yield b"[" + b",".join(held) + b"]"


def decode_lines(recorded: Recorded) -> RecordedLines:
    """Return the lines of one message on `hw.log.<run_id>.<attempt>`; none, and why, where it is a dead letter."""
    place = subjects.attempt_of_log(recorded.subject)
    if place is None:
        return _unreadable(recorded, "", 0, "No log of a run has this subject.")
    run_id, attempt = place
    try:
        lines = _decode(recorded.data)
    except CommitUnreadable as error:
        return _unreadable(recorded, run_id, attempt, error.reason)
    for line in lines:
        if not is_instant(line.at):
            return _unreadable(recorded, run_id, attempt, out_of_range(line.at))
    return RecordedLines(recorded.position, run_id, attempt, lines)


def _unreadable(recorded: Recorded, run_id: str, attempt: int, reason: str) -> RecordedLines:
    why = Unreadable(recorded.subject, recorded.recorded_at, CommitUnreadable(reason).reason)
    return RecordedLines(recorded.position, run_id, attempt, (), why)


def _within_limits(line: LogLine) -> LogLine:
    """Return the line with a level and a time that every consumer can take, and not longer than it may be."""
    changes: dict[str, Any] = {}
    if not -INT32_MAX <= line.level <= INT32_MAX:
        changes["level"] = INT32_MAX if line.level > 0 else -INT32_MAX
    if not -1 <= line.map_index <= INT32_MAX:
        changes["map_index"] = -1
    if not TIME_MIN <= line.at <= TIME_MAX:
        changes["at"] = min(max(line.at, TIME_MIN), TIME_MAX)
    if len(line.message) > LINE_CHARACTERS_MAX:
        left = len(line.message) - LINE_CHARACTERS_MAX
        changes["message"] = f"{line.message[:LINE_CHARACTERS_MAX]}… ({left} more characters)"
    for name in ("logger", "task"):
        if len(text := getattr(line, name)) > NAME_CHARACTERS_MAX:
            changes[name] = text[:NAME_CHARACTERS_MAX]
    return msgspec.structs.replace(line, **changes) if changes else line
