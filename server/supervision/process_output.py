"""What a program writes to its standard error, on its way to the log file: heard line by line, also where the file takes no more."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, NamedTuple

_READ_BYTES = 65536
_LINE_BYTES_MAX = 65536
_PIPE_BYTES = 1 << 20
"""Should we be frozen, the program can write so much before it has to wait."""


class _Reader:
    def __init__(self, source: int, log: BinaryIO, hear: Callable[[str], None]) -> None:
        self._source = source
        self._log = log
        self._hear = hear
        self._rest = b""

    def read(self) -> bool:
        """Take what is there; tell whether there was anything."""
        try:
            found = os.read(self._source, _READ_BYTES)
        except BlockingIOError:
            return False
        with suppress(OSError):  # no room is what may have to be heard of
            os.write(self._log.fileno(), found)
        *lines, rest = (self._rest + found).split(b"\n")
        self._rest = rest[-_LINE_BYTES_MAX:]
        for line in lines:
            self._hear(line.decode(errors="replace"))
        return bool(found)


class ErrorOutput(NamedTuple):
    """The descriptor to give to a program as its standard error, and those that it is to hold besides.

    It holds the end from which we read: should we be killed, writing its last lines must not kill it before it has ended in order.
    """

    target: int
    held: tuple[int, ...] = ()


@contextmanager
def heard_output(log: BinaryIO, hear: Callable[[str], None] | None) -> Iterator[ErrorOutput]:
    """What a program writes its errors to while the block runs: the log itself, where no listener is given.

    When the block ends, the program must have ended, so that nothing is missed.
    """
    if hear is None:
        yield ErrorOutput(log.fileno())
        return
    source, target = os.pipe()
    os.set_blocking(source, False)
    with suppress(OSError, AttributeError):  # Linux; less is enough elsewhere
        fcntl.fcntl(target, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    loop, reader = asyncio.get_running_loop(), _Reader(source, log, hear)
    try:

        def arrived() -> None:
            if not reader.read():
                loop.remove_reader(source)

        loop.add_reader(source, arrived)
        yield ErrorOutput(target, (source,))
    finally:
        loop.remove_reader(source)
        os.close(target)
        while reader.read():
            pass
        os.close(source)
