"""A warm, single-threaded process that starts the processes of runs and lets none of them outlive its agent.

It has imported all that a run needs and is connected to nothing. A run's process is forked from it in a few milliseconds, or becomes a
new interpreter where the environment demands one. Each is the leader of a session of its own. When there is nothing to do, the zygote
keeps spare processes ready, which wait for orders.

The agent holds the other end of a socket. When it closes, however the agent ended, the zygote kills all that it started and ends. It
never runs code of the user's, so nothing keeps it from that; and no launch that fails ends it: the agent gets the reason. When the zygote
itself is killed, the kernel kills the run processes (on Linux) and the agent kills what they started.

On Linux nothing that a run started gets away: a run's process adopts its orphans, and when it ends, the zygote inherits them. So every
child of the zygote's that it did not start itself is left of a run that has ended, and is killed: before the agent hears of the run's end
where that was not a good one, else when there is nothing to do.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from contextlib import suppress
from typing import NoReturn

from headwater.agents import control_groups
from headwater.agents.attempt_protocol import SESSION_DESCRIPTOR
from headwater.agents.frames import NO_DESCRIPTOR, Frames
from headwater.agents.launcher_protocol import (
    Ended,
    Launch,
    Launched,
    NotLaunched,
    Ready,
    Signal,
    frame,
    read_requests,
)
from headwater.agents.local import child_processes, forked_child, process_tree
from headwater.agents.local.rehearsal import rehearse
from headwater.agents.local.spare_pool import SparePool
from headwater.agents.run_process import main as run_process
from headwater.agents.shortages import shortage
from headwater.core.program import open_files

SWEEP_SECONDS = 1.0
"""What a run that ended well left behind lives so long at most; a sweep looks at every process, too much for the end of each of many."""
PATIENCE_SECONDS = 2.0
"""How long what was killed may take to be gone, before the zygote stops waiting for it: the kernel may keep it in a call to a dead disk."""


class Zygote:
    """The launches that live, the socket to the agent, and the spare processes."""

    def __init__(self, channel: socket.socket, spares: SparePool) -> None:
        self._channel = channel
        self._process_id = os.getpid()
        self._children: dict[int, int] = {}  # process id -> launch id
        self._spares = spares
        self._to_sweep_since: float | None = None
        self._undying: set[int] = set()
        self._frames = Frames()
        self._descriptors: list[int] = []
        self._woken, self._wake = socket.socketpair()
        self._memory_kills = control_groups.memory_kills()

    def serve(self) -> NoReturn:
        """Serve the agent until it is gone, then end everything that was started, and this process."""
        process_tree.adopt_orphans()
        self._woken.setblocking(False)
        self._wake.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        try:
            self._send(frame(Ready(self._process_id)))
            while self._serve_once():
                pass
        except ConnectionError:
            pass  # the agent went while it was told something
        except BaseException:  # noqa: BLE001 - whatever it is: nothing that was started may outlive this process
            traceback.print_exc()
        finally:
            self._end_all()
            os._exit(0)

    def _serve_once(self) -> bool:
        """Do what is asked next; tell whether the agent is still there."""
        lacks_spare = self._spares.lacks_one(len(self._children))
        is_idle = not lacks_spare and self._to_sweep_since is None
        readable, _, _ = select.select([self._channel, self._woken], [], [], None if is_idle else self._spares.idle_seconds)
        if not readable and lacks_spare:
            self._spares.make(lambda orders: forked_child.run_later(self._process_id, self._unused(), orders))
        elif self._to_sweep_since is not None and (not readable or time.monotonic() - self._to_sweep_since > SWEEP_SECONDS):
            self._sweep()
        if self._woken in readable:
            with suppress(BlockingIOError):
                while self._woken.recv(4096):
                    pass
            self._reap()
        if self._channel in readable:
            requests = read_requests(self._channel, self._frames, self._descriptors)
            if requests is None:
                return False
            for request in requests:
                if isinstance(request, Signal):
                    with suppress(OSError):  # it is gone, or no files are left to look for what it started
                        self._signal(request)
                else:
                    self._launch(request)
        return True

    def _signal(self, request: Signal) -> None:
        for process_id, launch_id in self._children.items():
            if launch_id == request.launch_id:
                descendants = process_tree.descendants(process_id, process_tree.parents())
                child_processes.signal_group(process_id, request.number)
                process_tree.send([each for each in descendants if not child_processes.is_in_group(each, process_id)], request.number)

    def _launch(self, launch: Launch) -> None:
        """Start the process, or say why it cannot be started: whatever that is, the processes of other runs go on."""
        output, session = self._descriptors.pop(0), self._descriptors.pop(0)
        try:
            process_id = self._start(launch, output, session)
        except OSError as error:
            self._send(frame(NotLaunched(launch.launch_id, shortage(error))))
            return
        finally:
            for descriptor in (output, session):
                if descriptor != NO_DESCRIPTOR:
                    os.close(descriptor)
        self._children[process_id] = launch.launch_id
        self._send(frame(Launched(launch.launch_id, process_id)))

    def _start(self, launch: Launch, output: int, session: int) -> int:
        if NO_DESCRIPTOR in {output, session}:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        process_id = None if launch.cold else self._spares.order(frame(launch), [output, session])
        if process_id is None:
            process_id = child_processes.fork()
            if not process_id:
                forked_child.run_now(self._process_id, self._unused(), launch, output, session)
        return process_id

    def _unused(self) -> list[int]:
        """The descriptors that a child must not hold."""
        return [self._channel.fileno(), self._woken.fileno(), self._wake.fileno(), *self._spares.descriptors, *self._descriptors]

    def _reap(self) -> None:
        """Tell the agent of each child that ended; what it left behind is killed."""
        ended: list[Ended] = []
        while (dead := child_processes.next_dead(self._children)) is not None:
            process_id, status, peak_bytes = dead
            if process_id in self._children:
                ended.append(self._ended(self._children.pop(process_id), status, peak_bytes))
            elif not self._spares.remove_dead(process_id):
                self._undying.discard(process_id)
            if self._to_sweep_since is None:
                self._to_sweep_since = time.monotonic()
        if any(each.status for each in ended):
            self._sweep()
        for each in ended:
            self._send(frame(each))

    def _ended(self, launch_id: int, status: int, peak_bytes: int) -> Ended:
        if status != -signal.SIGKILL:
            return Ended(launch_id, status, peak_bytes)
        # Only the kernel knows whom it killed for want of memory. It counts them: one of those who died by it since the last look.
        kills = control_groups.memory_kills()
        out_of_memory = kills > self._memory_kills
        self._memory_kills += out_of_memory
        return Ended(launch_id, status, peak_bytes, out_of_memory, control_groups.memory_max())

    def _sweep(self) -> None:
        """Kill what runs that have ended left behind: all that came to us as orphans, and what comes from them."""
        self._to_sweep_since = None
        ours = self._children.keys() | self._spares.process_ids
        deadline = time.monotonic() + PATIENCE_SECONDS
        while process_tree.own_children() - ours - self._undying:
            left = process_tree.descendants(self._process_id, process_tree.parents(), but=ours | self._undying)
            if time.monotonic() > deadline:
                self._undying.update(left)
                return
            process_tree.send(left, signal.SIGKILL)
            for process_id in left:
                child_processes.wait_until_dead(process_id, deadline)

    def _end_all(self) -> None:
        self._spares.kill()
        for process_id in self._children:
            child_processes.signal_group(process_id, signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        for process_id in self._children:
            child_processes.wait_until_dead(process_id, deadline)
        self._children.clear()
        self._sweep()

    def _send(self, data: bytes) -> None:
        self._channel.sendall(data)


def _channel_from(descriptor: int) -> socket.socket:
    """Return the socket to the agent, away from the numbers that run processes use."""
    moved = descriptor
    while moved <= SESSION_DESCRIPTOR:
        moved = os.dup(moved)
    forked_child.reserve_descriptor()
    return socket.socket(fileno=moved)


def main() -> NoReturn:
    """Serve the agent whose socket is the descriptor named on the command line.

    Behind it stand the limit of open files, how many spare processes are kept, and how many runs there are at once (0: as many as come).
    """
    for number in forked_child.BLOCKED_SIGNALS:
        # What ends programs in terminals, and services, is for the agent to answer: this process lives as long as its socket.
        signal.signal(number, signal.SIG_IGN)
    descriptor, files_max, spares_max, runs_max = map(int, sys.argv[1:5])
    open_files.set_limit(files_max)
    channel = _channel_from(descriptor)
    run_process.warm_up()
    rehearse()
    gc.collect()
    gc.disable()
    gc.freeze()  # what is shared stays shared: a collection in a child would write to every object
    Zygote(channel, SparePool(spares_max, runs_max or None)).serve()


if __name__ == "__main__":
    main()
