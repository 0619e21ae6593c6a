"""What is said when there are no file descriptors left."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from headwater.core.program import open_files

logger = logging.getLogger(__name__)

_TOLD_EVERY_SECONDS = 60.0


class DescriptorNotice:
    """The event loop's handler of errors that no code waits for: says once a minute that there are no descriptors left.

    The loop itself writes a traceback for each connection that it could not accept, a thousand a second. All else it gets as before.
    """

    def __init__(self) -> None:
        self._told_at = float("-inf")

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Handle one error."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in open_files.SHORTAGES:
            if loop.time() - self._told_at >= _TOLD_EVERY_SECONDS:
                self._told_at = loop.time()
                logger.error(
                    "Out of file descriptors (%d are allowed): connections wait. Raise the limit (ulimit -n, LimitNOFILE).",
                    open_files.limit(),
                )
        elif isinstance(error, ValueError) and "Invalid file descriptor" in str(error):
            # It means to listen again a second after it could not accept, and the socket has been closed since.
            logger.debug("a socket was closed before it listened again")
        else:
            loop.default_exception_handler(context)


@contextmanager
def descriptor_notice() -> Iterator[None]:
    """Have it said in one sentence, while the block runs, when there are no file descriptors left."""
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(DescriptorNotice())
    try:
        yield
    finally:
        loop.set_exception_handler(before)
