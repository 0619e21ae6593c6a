"""A warm, single-threaded process that starts the processes of runs and lets none of them outlive its agent.

It has imported all that a run needs and is connected to nothing. A run's process is forked from it in a few milliseconds, or becomes a
new interpreter where the environment demands one. Each is the leader of a session of its own. When there is nothing to do, the zygote
keeps one spare process ready, which has its threads already and waits for an order.

The agent holds the other end of a socket. When it closes, however the agent ended, the zygote kills every process group it started and
ends. It never runs code of the user's, so nothing can keep it from that. When the zygote itself is killed, the kernel kills the run
processes (on Linux; elsewhere they watch their lifeline) and the agent kills what they started.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
from contextlib import suppress
from typing import NamedTuple, NoReturn

from headwater.agents import run_child, run_process
from headwater.agents.launch_wire import (
    LIFELINE_DESCRIPTOR,
    REPORT_DESCRIPTOR,
    Ended,
    Frames,
    Launch,
    Launched,
    Ready,
    Signal,
    frame,
    read_requests,
)

SPARE_AFTER_SECONDS = 0.01
"""So long nothing must have been asked before a spare process is made: while runs start, it would only take their time."""
SPARE_AFTER_SECONDS_MAX = 60.0


class Spare(NamedTuple):
    """A process that waits for an order."""

    process_id: int
    orders: socket.socket


class Zygote:
    """The launches that live, and the socket to the agent."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._process_id = os.getpid()
        self._children: dict[int, int] = {}  # process id -> launch id
        self._spare: Spare | None = None
        self._spare_after_seconds = SPARE_AFTER_SECONDS
        self._frames = Frames()
        self._descriptors: list[int] = []
        self._lifeline, self._lifeline_held = os.pipe()
        self._woken, self._wake = socket.socketpair()

    def serve(self) -> NoReturn:
        """Serve the agent until it is gone, then end everything that was started, and this process."""
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
        finally:
            self._end_all()
            os._exit(0)

    def _serve_once(self) -> bool:
        """Do what is asked next; tell whether the agent is still there."""
        patience = self._spare_after_seconds if self._spare is None else None
        readable, _, _ = select.select([self._channel, self._woken], [], [], patience)
        if not readable:
            self._make_spare()
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
                    self._signal(request)
                else:
                    self._launch(request)
        return True

    def _signal(self, request: Signal) -> None:
        for process_id, launch_id in self._children.items():
            if launch_id == request.launch_id:
                _signal_group(process_id, request.number)

    def _launch(self, launch: Launch) -> None:
        output, report = self._descriptors.pop(0), self._descriptors.pop(0)
        process_id = None if launch.cold else self._order_spare(launch, output, report)
        if process_id is None:
            process_id = os.fork()
            if not process_id:
                run_child.run_now(self._process_id, self._lifeline, self._unused(), launch, output, report)
        self._children[process_id] = launch.launch_id
        os.close(output)
        os.close(report)
        self._send(frame(Launched(launch.launch_id, process_id)))

    def _order_spare(self, launch: Launch, output: int, report: int) -> int | None:
        """Let the spare process be this run's; None where there is none, or it has just died."""
        if self._spare is None:
            return None
        spare, self._spare = self._spare, None
        with spare.orders:
            try:
                data = memoryview(frame(launch))
                sent = socket.send_fds(spare.orders, [data], [output, report])
                spare.orders.sendall(data[sent:])
            except OSError:
                self._discard(spare)
                return None
        return spare.process_id

    def _make_spare(self) -> None:
        ours, theirs = socket.socketpair()
        process_id = os.fork()
        if not process_id:
            run_child.run_later(self._process_id, self._lifeline, [*self._unused(), ours.fileno()], theirs)
        theirs.close()
        self._spare = Spare(process_id, ours)

    def _unused(self) -> list[int]:
        """The descriptors that a child must not hold."""
        spare = [] if self._spare is None else [self._spare.orders.fileno()]
        mine = [self._channel.fileno(), self._woken.fileno(), self._wake.fileno(), self._lifeline_held]
        return [*mine, *spare, *self._descriptors]

    def _reap(self) -> None:
        """Tell the agent of each child that ended; what it left behind in its group is killed."""
        for process_id in list(self._children):
            status = _exit_status(process_id)
            if status is not None:
                launch_id = self._children.pop(process_id)
                self._send(frame(Ended(launch_id, status)))
        if self._spare is not None and _exit_status(self._spare.process_id) is not None:
            self._spare.orders.close()
            self._spare = None
            # It died of itself: the next one may as well, and must not keep us busy with dying.
            self._spare_after_seconds = min(SPARE_AFTER_SECONDS_MAX, 2 * self._spare_after_seconds)

    def _discard(self, spare: Spare) -> None:
        _signal_group(spare.process_id, signal.SIGKILL)
        os.waitpid(spare.process_id, 0)

    def _end_all(self) -> None:
        for process_id in self._children:
            _signal_group(process_id, signal.SIGKILL)
        if self._spare is not None:
            _signal_group(self._spare.process_id, signal.SIGKILL)

    def _send(self, data: bytes) -> None:
        self._channel.sendall(data)


def _exit_status(process_id: int) -> int | None:
    """Return how the child ended, having killed the rest of its group; None while it lives."""
    if hasattr(os, "waitid"):
        if os.waitid(os.P_PID, process_id, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # Not waited for yet, the dead leader keeps its number: nobody else's group can be hit.
        _signal_group(process_id, signal.SIGKILL)
        _, status = os.waitpid(process_id, 0)
    else:
        ended, status = os.waitpid(process_id, os.WNOHANG)
        if not ended:
            return None
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process_id, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def _signal_group(process_id: int, number: int) -> None:
    """Signal a child that was not waited for yet, and its group."""
    try:
        os.killpg(process_id, number)
    except ProcessLookupError:
        os.kill(process_id, number)  # it has just been forked, and has no group of its own yet
    except PermissionError:
        pass  # some systems say so of a group whose members are all dead


def _channel_from(descriptor: int) -> socket.socket:
    """Return the socket to the agent, away from the numbers that run processes use."""
    moved = descriptor
    while moved <= max(REPORT_DESCRIPTOR, LIFELINE_DESCRIPTOR):
        moved = os.dup(moved)
    run_child.reserve_descriptors()
    return socket.socket(fileno=moved)


def main() -> NoReturn:
    """Serve the agent whose socket is the descriptor named on the command line."""
    channel = _channel_from(int(sys.argv[1]))
    run_process.warm_up()
    gc.collect()
    gc.disable()
    gc.freeze()  # what is shared stays shared: a collection in a child would write to every object
    Zygote(channel).serve()


if __name__ == "__main__":
    main()
