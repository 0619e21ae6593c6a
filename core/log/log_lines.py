"""Log lines as bytes, several to a message."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from headwater.core.commit import Position
from headwater.core.log.protocol import LogLine, RecordedLines

MESSAGE_BYTES_MAX = 256 * 1024
"""A message holds lines up to this size: one write costs one fsync, and a follower need not wait for a megabyte."""

LINE_CHARACTERS_MAX = 100_000
"""A longer line is cut, and says so."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(tuple[LogLine, ...])


def encode_lines(lines: Sequence[LogLine]) -> Iterator[bytes]:
    """Yield the lines, in order, as the bytes of one or more messages; nothing for no lines."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        encoded = _encoder.encode(_cut(line))
        if held and size + len(encoded) > MESSAGE_BYTES_MAX:
            yield b"[" + b",".join(held) + b"]"
            held, size = [], 0
        held.append(encoded)
        size += len(encoded) + 1
    if held:
        yield b"[" + b",".join(held) + b"]"


def decode_lines(position: Position, subject: str, data: bytes) -> RecordedLines | None:
    """Return the lines of one message on `hw.log.<run_id>.<attempt>`; None where it holds none."""
    try:
        _, _, run_id, attempt = subject.split(".")
        return RecordedLines(position, run_id, int(attempt), _decoder.decode(data))
    except (ValueError, msgspec.MsgspecError):
        return None


def _cut(line: LogLine) -> LogLine:
    if len(line.message) <= LINE_CHARACTERS_MAX:
        return line
    left = len(line.message) - LINE_CHARACTERS_MAX
    return msgspec.structs.replace(line, message=f"{line.message[:LINE_CHARACTERS_MAX]}… ({left} more characters)")
