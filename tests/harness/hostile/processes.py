"""Tasks that do to their process, and to what Python gives to all, what no task should."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

from harness.hostile.objects import NOT_UTF8
from harness.hostile.register import BAD, GOOD, LOST, harmful, hostile
from headwater.sdk.context.context import context

# What it does to its process


@harmful(LOST)
def closes_all_descriptors() -> None:
    os.closerange(3, 256)


@harmful(LOST)
def closes_all_descriptors_and_fails() -> None:
    os.closerange(3, 256)
    raise RuntimeError("here")


@harmful(LOST)
def closes_all_descriptors_and_opens_others() -> None:
    os.closerange(3, 256)
    context["kept open"] = [open(os.devnull) for _ in range(60)]  # noqa: SIM115, PTH123 - the point


@harmful(LOST)
def closes_really_all_descriptors() -> None:
    os.closerange(0, 256)


@harmful(GOOD, log_stdout=True)
def closes_its_output() -> None:
    sys.stdout.close()
    sys.__stdout__.close()  # type: ignore[union-attr]
    sys.stderr.close()


@harmful(GOOD, log_stdout=True)
def takes_its_output_away() -> None:
    sys.stdout = sys.stderr = None
    sys.excepthook = None  # type: ignore[assignment]


@harmful(LOST)
def leaves_without_a_word() -> None:
    os._exit(0)


@harmful(LOST)
def kills_itself() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@harmful(LOST)
def crashes() -> None:
    faulthandler.enable()
    os.kill(os.getpid(), signal.SIGSEGV)


@harmful(LOST)
def is_watched_by_faulthandler() -> None:
    faulthandler.dump_traceback_later(0.05, exit=True)
    threading.Event().wait()


@harmful(GOOD)
def exits_in_threads() -> None:
    threads = [threading.Thread(target=sys.exit, args=(NOT_UTF8,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@harmful(GOOD)
def leaves_threads_behind() -> None:
    for _ in range(3):
        threading.Thread(target=threading.Event().wait).start()


@harmful(GOOD)
def ends_with_a_function_that_never_ends() -> None:
    import atexit

    atexit.register(threading.Event().wait)


@harmful(BAD)
def interrupts_the_main_thread() -> None:
    import _thread

    signal.signal(signal.SIGINT, signal.default_int_handler)
    _thread.interrupt_main()


@harmful(GOOD)
def forks_and_returns_twice() -> None:
    os.fork()


@harmful(GOOD)
def leaves_an_endless_iterator() -> Iterator[int]:
    while True:
        yield 1


@harmful(GOOD)
def breaks_logging() -> None:
    logging.disable(10**6)
    logging.getLogger("headwater").handlers.clear()


@harmful(LOST)
def breaks_handlers() -> None:
    for handler in logging.getLogger("headwater").handlers:
        handler.emit = handler.handle = handler.acquire = None  # type: ignore[assignment, method-assign]


@harmful(GOOD)
def removes_its_directory() -> None:
    import tempfile

    os.chdir(tempfile.mkdtemp())
    os.rmdir(os.getcwd())  # noqa: PTH106, PTH109


@harmful(GOOD)
def empties_its_environment() -> None:
    os.environ.clear()


@harmful(GOOD)
def leaves_little_room_for_calls() -> None:
    sys.setrecursionlimit(60)


@harmful(GOOD)
def starts_no_more_threads() -> None:
    threading.Thread.start = None  # type: ignore[assignment, method-assign]


# What it does to what Python gives to all


@harmful(GOOD)
def allows_no_more_descriptors() -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))


@harmful(GOOD)
def allows_no_more_bytes_in_files() -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))


@harmful(GOOD)
def sets_logging_up_again() -> None:
    import logging.config

    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})


@harmful(GOOD)
def shuts_logging_down() -> None:
    logging.shutdown()


@harmful(GOOD)
def makes_errors_of_warnings() -> None:
    import warnings

    warnings.simplefilter("error")


@harmful(GOOD)
def takes_the_event_loop_away() -> None:
    import asyncio

    asyncio.set_event_loop(None)
    asyncio.set_event_loop_policy(None)


@harmful(GOOD)
def stops_the_clocks() -> None:
    import time

    now, ticks = time.time(), time.monotonic()
    time.time = lambda: now
    time.monotonic = time.perf_counter = lambda: ticks


@harmful(GOOD)
def takes_what_it_does_not_know_for_garbage() -> None:
    import gc

    gc.disable()
    gc.freeze()
    sys.setswitchinterval(100.0)


@harmful(GOOD)
def ignores_all_signals() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
        signal.signal(number, signal.SIG_IGN)


@harmful(GOOD)
def becomes_another_user() -> None:
    os.umask(0o777)
    os.nice(5)


@harmful(GOOD)
def traces_every_call() -> None:
    def fail(*_: Any) -> NoReturn:
        raise RuntimeError("hostile")

    threading.settrace(fail)
    sys.setprofile(lambda *_: None)


@hostile(BAD)
def asks_for_more_memory_than_there_is() -> None:
    bytearray(2**62)
