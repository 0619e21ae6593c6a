"""The pipe through which the processes of a pool send what tasks log in them."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from headwater.sdk.executors.log_lines import Lines

_END_SECONDS = 5.0
_writer: Any = None
_turn: Any = None


class LinePipe:
    """Carries lines from all processes of one pool; `initializer` and `arguments` make a new process send through it."""

    def __init__(self, lines: Lines) -> None:
        from loky.backend.context import get_context

        context: Any = get_context("loky")
        self._reader, self._writer = context.Pipe(duplex=False)
        self.initializer = _send_through
        self.arguments = (self._writer, context.Lock())
        self._lines = lines
        self._thread = threading.Thread(target=self._read, name="headwater-log-lines", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        # It ends when the last process that could write has: also where one was killed in the middle of a line.
        with self._reader, suppress(EOFError, OSError):
            while True:
                self._lines.take(self._reader.recv_bytes())

    def close(self) -> None:
        """Read what the processes, which have ended, wrote last."""
        self._writer.close()
        self._thread.join(_END_SECONDS)


def _send_through(writer: Any, turn: Any) -> None:
    """Remember, in a new process of the pool, where lines go; one process writes at a time."""
    global _writer, _turn
    _writer, _turn = writer, turn


def send(line: bytes) -> None:
    """Send a line from a process of a pool."""
    with _turn:
        _writer.send_bytes(line)
