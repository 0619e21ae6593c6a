"""What a child of the zygote does before it executes an attempt: cut itself off from the zygote, and become what its order says."""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable
from typing import NoReturn

from headwater.agents.attempt_protocol import SESSION_DESCRIPTOR
from headwater.agents.frames import Frames
from headwater.agents.launcher_protocol import Launch, read_requests
from headwater.agents.local import process_tree
from headwater.agents.local.rehearsal import rehearse
from headwater.agents.run_process import main as run_process
from headwater.agents.run_process import run_exit
from headwater.agents.run_process.run_start import TERMINAL_SIGNALS, ignore_terminals

BLOCKED_SIGNALS = frozenset({signal.SIGTERM, *TERMINAL_SIGNALS})
"""Signals that the zygote ignores, and holds off while it forks: they mean something to the process of a run."""


REHEARSAL_SECONDS = 0.5
"""So long a spare process waits for its order before it rehearses: where runs come one after the other, that would only delay them."""


def reserve_descriptor() -> None:
    """Keep the number that run processes use for their channel from being given to anything else, here and in all children."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    if nowhere != SESSION_DESCRIPTOR:
        os.dup2(nowhere, SESSION_DESCRIPTOR)
        os.close(nowhere)


def run_now(parent: int, unused: Iterable[int], launch: Launch, output: int, session: int) -> NoReturn:
    """Be the run's process from here on. `unused` are descriptors of the zygote's that it must not hold."""
    status = 1
    try:
        _cut_off(parent, unused)
        _become(launch, output, session)
        status = run_process.main()
    except BaseException:  # noqa: BLE001 - whatever it is: it must not run on as a second zygote
        sys.excepthook(*sys.exc_info())
    finally:
        run_exit.leave(status)


def run_later(parent: int, unused: Iterable[int], orders: socket.socket) -> NoReturn:
    """Be the process of the run whose order comes; rehearse where none comes soon, and end without one when the zygote is gone."""
    status = 1
    try:
        _cut_off(parent, unused)
        is_ordered, _, _ = select.select([orders], [], [], REHEARSAL_SECONDS)
        if not is_ordered:
            rehearse(1)
        status = _run_ordered(orders)
    except BaseException:  # noqa: BLE001 - see above
        sys.excepthook(*sys.exc_info())
    finally:
        run_exit.leave(status)


def _run_ordered(orders: socket.socket) -> int:
    frames, descriptors = Frames(), list[int]()
    while True:
        requests = read_requests(orders, frames, descriptors)
        if requests is None:
            os._exit(0)
        for request in requests:
            assert isinstance(request, Launch)
            orders.close()
            output, session = descriptors
            _become(request, output, session)
            return run_process.main()


def _cut_off(parent: int, unused: Iterable[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, *BLOCKED_SIGNALS):
        signal.signal(number, signal.SIG_DFL)
    ignore_terminals()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED_SIGNALS)
    os.setsid()
    process_tree.end_with_parent(parent)
    # What orphans a run makes stay its own: those that come to the zygote are of runs that have ended.
    process_tree.adopt_orphans()
    for descriptor in unused:
        os.close(descriptor)


def _become(launch: Launch, output: int, session: int) -> None:
    """Take the order's descriptors, directory and environment; a cold one takes a new interpreter and does not return."""
    for source, descriptor in ((output, 1), (output, 2), (session, SESSION_DESCRIPTOR)):
        os.dup2(source, descriptor)
    for source in (output, session):
        os.close(source)
    os.chdir(launch.directory)
    if launch.cold:
        command = [sys.executable, "-P", "-m", "headwater.agents.run_process"]
        os.execve(sys.executable, command, launch.environment)  # noqa: S606 - no shell is the point
    take_environment(launch.environment)
    gc.enable()


def take_environment(environment: dict[str, str]) -> None:
    """Make this process's environment the one given. Little differs between runs, and each change costs page faults."""
    time_zone = os.environ.get("TZ")
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    os.environ.update({name: value for name, value in environment.items() if os.environ.get(name) != value})
    if os.environ.get("TZ") != time_zone:
        time.tzset()
