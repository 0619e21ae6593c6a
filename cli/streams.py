"""Standard output and error for a program that never fails over them, and shows whatever anyone wrote without obeying it.

What they cannot show is escaped, what would steer a terminal too, and readers may leave early.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from headwater.core.text import tame

_UNSHOWABLE = "backslashreplace"


class ReaderGone(BaseException):
    """What is printed is not read any more, as with `| head`. Not an error: it passes every place that handles those."""


class _Output(io.TextIOWrapper):
    """A stream that says by `ReaderGone` that its reader went away, and steers no terminal unless it is `trusting`."""

    trusting = False

    def write(self, text: str) -> int:
        with self._failing_once():
            super().write(text if self.trusting else tame(text))
        return len(text)

    def flush(self) -> None:
        with self._failing_once():
            super().flush()

    @contextmanager
    def _failing_once(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            # What is buffered still, and what else is printed before the end, goes nowhere without another word.
            with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
                os.dup2(nowhere.fileno(), self.fileno())
            if isinstance(error, BrokenPipeError):
                raise ReaderGone from None
            raise


@contextmanager
def careful_streams() -> Iterator[None]:
    """Make `sys.stdout` and `sys.stderr` careful while the block runs; where one is closed, what goes there goes nowhere.

    Raises:
        ReaderGone: in the block, from whatever prints, or at its end: standard output or error is not read any more.
        OSError: at its end: what was printed could not be written, as on a full disk.

    """
    before = sys.stdout, sys.stderr
    careful = [_careful(stream) for stream in before]
    sys.stdout, sys.stderr = careful
    try:
        yield
        for stream in careful:
            stream.flush()
    finally:
        sys.stdout, sys.stderr = before
        for stream, plain in zip(careful, before, strict=True):
            _let_go(stream, plain)


@contextmanager
def trusting_streams() -> Iterator[None]:
    """Let through what steers the terminal while the block runs: of our own progress bars, and of a flow that people run right here."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if isinstance(stream, _Output)]
    for stream in streams:
        stream.trusting = True
    try:
        yield
    finally:
        for stream in streams:
            stream.trusting = False


def _careful(stream: TextIO | None) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8", errors=_UNSHOWABLE)  # noqa: PTH123 - a device
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    form = {"encoding": stream.encoding, "errors": _UNSHOWABLE}
    return _Output(stream.buffer, **form, line_buffering=stream.line_buffering, write_through=stream.write_through)


def _let_go(stream: TextIO, plain: TextIO | None) -> None:
    if plain is None:
        stream.close()
    elif isinstance(stream, _Output):
        # Its buffer is the plain stream's, and must stay open.
        stream.detach()
