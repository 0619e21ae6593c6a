"""Ctrl-C while something is under way: it is ended in order, again and again until it has ended, and given up after a while."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

import anyio

Answer = TypeVar("Answer")

_INTERRUPTED = 130


async def interruptible(work: Callable[[], Awaitable[Answer]], ends_within: float | None) -> Answer:
    """Do the work and return its answer; Ctrl-C cancels it.

    The loop's own way cancels a task once, and a library that takes the cancellation for something else goes on for ever: this one
    repeats it until the work has ended. Where it has not in `ends_within` seconds, the process ends as it is.

    Raises:
        KeyboardInterrupt: Ctrl-C came before the work was done.

    """
    if threading.current_thread() is not threading.main_thread():
        return await work()
    interrupted = False
    answers: list[Answer] = []
    last_resort = threading.Timer(ends_within or 0.0, _end_now)
    last_resort.daemon = True

    async def end_on_interrupt(scope: anyio.CancelScope) -> None:
        nonlocal interrupted
        with anyio.open_signal_receiver(signal.SIGINT) as signals:
            listening.set()
            async for _ in signals:
                if interrupted:
                    _end_now()
                interrupted = True
                if ends_within is not None:
                    last_resort.start()
                scope.cancel()

    listening = anyio.Event()
    try:
        async with anyio.create_task_group() as listeners:
            with anyio.CancelScope() as scope:
                listeners.start_soon(end_on_interrupt, scope)
                await listening.wait()
                answers.append(await work())
            listeners.cancel_scope.cancel()
    finally:
        last_resort.cancel()
    if interrupted and not answers:
        raise KeyboardInterrupt
    return answers[0]


def _end_now() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(_INTERRUPTED)
