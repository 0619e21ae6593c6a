"""Runs a program that ends when the process which started it ends, also when that one is killed outright.

A script of its own, run as `python -I -S parent_death.py ORDERS`, before it becomes the program: the order must be given
after the fork and after the change of user (which clears it), and running Python code between fork and exec in a
process that may have threads is not safe. It keeps the process id, so the process that started it owns the program itself.

On Linux the kernel keeps the promise (the "parent death signal"). Elsewhere the order names a lifeline, one end of a
pipe from the starter: a small watcher sends the signal when it breaks.

Only the standard library may be imported here, and little of it: every server start waits for this file.
"""

import ctypes
import json
import os
import signal
import sys
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 4
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1
_CAP_DAC_READ_SEARCH = 2
_WATCHER_GRACE_SECONDS = 5.0


def main(orders: str) -> None:
    """Becomes the program; does not return. `orders` is the JSON text that `child_process.leash_orders` makes."""
    order = json.loads(orders)
    if order["uid"] is not None:
        _change_user(order["uid"], order["gid"])
    os.umask(0o077)
    if order["lifeline"] is not None:
        _fork_watcher(order["lifeline"], order["death_signal"])
    elif sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, order["death_signal"], 0, 0, 0)
    if os.getppid() != order["parent"]:  # it died before the order was given
        sys.exit(0)
    os.execv(order["command"][0], order["command"])  # noqa: S606  (no shell is the point)


def _change_user(uid: int, gid: int) -> None:
    """Gives root up for good, keeping only the right to pass folders.

    PostgreSQL refuses to run as root. Its files and the Headwater home often lie below a folder only root may enter
    (`/root`); opening that folder to every user would be worse than letting one of our processes read.
    """
    if sys.platform != "linux":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    # Without it the right counts for opening files and not for `access`, by which PostgreSQL looks for its own programs.
    libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    # A container often lacks the first; the second, wider one is in the usual set. With neither, the folders' own
    # modes decide.
    for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE):
        bit = 1 << capability
        header = (ctypes.c_uint32 * 2)(_CAP_VERSION_3, 0)
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)  # effective, permitted, inheritable; high words empty
        if libc.capset(header, sets) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)
            return


def _fork_watcher(lifeline: int, death_signal: int) -> None:
    """Leaves a grandchild that waits for the lifeline to break, then ends the program."""
    program = os.getpid()
    child = os.fork()
    if child:
        os.waitpid(child, 0)  # at once: it only hands over, so that the watcher is not left a zombie
        return
    if os.fork():
        os._exit(0)
    os.setsid()
    while os.read(lifeline, 1):
        pass
    _end(program, death_signal)
    os._exit(0)


def _end(program: int, death_signal: int) -> None:
    deadline = time.monotonic() + _WATCHER_GRACE_SECONDS
    try:
        os.kill(program, death_signal)
        while time.monotonic() < deadline:
            time.sleep(0.05)
            os.kill(program, 0)
        os.kill(program, signal.SIGKILL)
    except ProcessLookupError:
        pass


if __name__ == "__main__":
    main(sys.argv[1])
