"""Processes that were forked before they are needed, each waiting for the order that makes it a run's."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

from headwater.agents import shortages
from headwater.agents.local import child_processes

IDLE_SECONDS = 0.01
"""So long nothing must have been asked before one is made: while runs start, it would only take their time."""
IDLE_SECONDS_MAX = 60.0
IDLE_FACTOR = 5
PROCESSES_MIN = 64
BYTES_MIN = 512 * 1024 * 1024
"""Where so few processes or so little memory are left, more than one would take what runs need."""
LOOK_SECONDS = 5.0


class PreforkedChild(NamedTuple):
    """A process that waits for an order."""

    process_id: int
    orders: socket.socket


class SparePool:
    """Up to `spares_max` such processes; with `runs_max`, no more than runs may still be started."""

    def __init__(self, spares_max: int, runs_max: int | None = None) -> None:
        self._spares_max = spares_max
        self._runs_max = runs_max
        self._spares: list[PreforkedChild] = []
        self._looked_at = float("-inf")
        self._is_room = True
        self._idle_seconds = IDLE_SECONDS

    @property
    def idle_seconds(self) -> float:
        """So long the zygote has to have nothing to do before the next is made: longer where there is one."""
        return self._idle_seconds * (IDLE_FACTOR if self._spares else 1)

    @property
    def process_ids(self) -> set[int]:
        return {each.process_id for each in self._spares}

    @property
    def descriptors(self) -> list[int]:
        """The zygote's ends, which no other child must hold."""
        return [each.orders.fileno() for each in self._spares]

    def lacks_one(self, running: int) -> bool:
        """Tell whether one more is wanted while so many runs are executed."""
        wanted = self._spares_max if self._runs_max is None else min(self._spares_max, self._runs_max - running)
        return len(self._spares) < wanted and (not self._spares or self._has_room())

    def _has_room(self) -> bool:
        now = time.monotonic()
        if now - self._looked_at > LOOK_SECONDS:
            self._looked_at = now
            processes, memory = shortages.processes_left(), shortages.memory_left()
            self._is_room = (processes is None or processes >= PROCESSES_MIN) and (memory is None or memory >= BYTES_MIN)
        return self._is_room

    def make(self, become: Callable[[socket.socket], NoReturn]) -> None:
        """Make one, which becomes what it is by the other end of its socket; where none can be made, the next is tried later."""
        try:
            ours, theirs = socket.socketpair()
        except OSError:
            self._wait_longer()
            return
        with theirs:
            try:
                process_id = child_processes.fork()
            except OSError:
                ours.close()
                self._wait_longer()
                return
            if not process_id:
                ours.close()
                become(theirs)
        self._spares.append(PreforkedChild(process_id, ours))

    def add(self, spare: PreforkedChild) -> None:
        """Keep one that was made elsewhere."""
        self._spares.append(spare)

    def order(self, data: bytes, descriptors: Sequence[int]) -> int | None:
        """Give one its order, and return its id; None where there is none that lives."""
        while self._spares:
            spare = self._spares.pop()
            with spare.orders:
                try:
                    view = memoryview(data)
                    sent = socket.send_fds(spare.orders, [view], descriptors)
                    # Sending nothing fails where the spare has closed its end by now: it has its order, and is running.
                    if sent < len(view):
                        spare.orders.sendall(view[sent:])
                except OSError:
                    child_processes.signal_group(spare.process_id, signal.SIGKILL)
                    os.waitpid(spare.process_id, 0)
                    continue
            self._idle_seconds = IDLE_SECONDS
            return spare.process_id
        return None

    def remove_dead(self, process_id: int) -> bool:
        """Take note that a process is dead; tell whether it was one of these: the next may die as well, and is made later."""
        for spare in self._spares:
            if spare.process_id == process_id:
                self._spares.remove(spare)
                spare.orders.close()
                self._wait_longer()
                return True
        return False

    def kill(self) -> None:
        """End all of them."""
        for spare in self._spares:
            child_processes.signal_group(spare.process_id, signal.SIGKILL)
        self._spares.clear()

    def _wait_longer(self) -> None:
        self._idle_seconds = min(IDLE_SECONDS_MAX, 2 * self._idle_seconds)
