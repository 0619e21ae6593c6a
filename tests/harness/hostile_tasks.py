"""Tasks that do what no task should: what they print, return and raise, and what they do to their process, is hostile.

`TASKS` maps a name to a task. In a flow of its own, each must leave a run that ends, as `ENDS` says.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import task
from headwater.sdk.language.task import Task
from headwater.sdk.results import InlineResult
from headwater.sdk.states import signals
from headwater.sdk.states.state import Success

NOT_UTF8 = b"report-\xff.csv".decode("utf-8", "surrogateescape")
"""A file name as `os.listdir` gives it where its bytes are not UTF-8."""

TASKS: dict[str, Task] = {}
ENDS: dict[str, str] = {}
"""Task → how its run ends."""

HARMFUL: set[str] = set()
"""Those that only a process of their own stands."""

GOOD, BAD, LOST = "Success", "Failed", "Lost"


def hostile(ends: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the function as a task whose run ends so; LOST where its process dies, each time."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        TASKS[function.__name__] = task(**settings)(function)
        ENDS[function.__name__] = ends
        return function

    return add


def harmful(ends: str, **settings: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """As `hostile`, for a task whose process is not what it was afterwards."""

    def add(function: Callable[..., Any]) -> Callable[..., Any]:
        HARMFUL.add(function.__name__)
        return hostile(ends, **settings)(function)

    return add


class Hostile:
    """Whatever is asked of it, it raises."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise RuntimeError("hostile")

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __getattr__ = __reduce_ex__ = __format__ = _refuse


class Quitting:
    """Whatever is asked of it, it asks the program to end."""

    def _refuse(self, *_: Any, **__: Any) -> NoReturn:
        raise SystemExit("hostile")

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __reduce_ex__ = __format__ = _refuse


class HostileError(Exception):
    """An exception whose words cannot be had."""

    def __str__(self) -> NoReturn:
        raise RuntimeError("hostile")

    __repr__ = __str__


class QuittingError(Exception):
    """An exception whose words end the program."""

    def __str__(self) -> NoReturn:
        raise SystemExit("hostile")

    __repr__ = __str__


class InterruptingError(Exception):
    """An exception whose words look like Ctrl-C."""

    def __str__(self) -> NoReturn:
        raise KeyboardInterrupt

    __repr__ = __str__


class TwoArguments(Exception):
    """An exception that can be pickled, and not be made again from that."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first)


# What it says


@hostile(GOOD, log_stdout=True)
def prints_what_is_not_utf8() -> None:
    print(NOT_UTF8)


@hostile(GOOD)
def logs_what_is_not_utf8() -> None:
    context.logger.warning(NOT_UTF8)


@hostile(GOOD)
def logs_under_a_name_that_is_not_utf8() -> None:
    logging.getLogger(f"headwater.{NOT_UTF8}").warning("here")


@hostile(GOOD)
def names_a_level_that_is_not_utf8() -> None:
    logging.addLevelName(35, NOT_UTF8)
    context.logger.log(35, "here")


@hostile(GOOD)
def logs_at_a_level_beyond_all() -> None:
    for level in (2**31, 2**63, 2**200, -(2**31) - 1):
        context.logger.log(level, "level %d", level) if level > 0 else context.logger.handle(_record(levelno=level))


@hostile(GOOD)
def logs_at_impossible_times() -> None:
    for moment in (-62135596800.0, 253402300799.0, 1e30, float("nan"), -1e30, "noon", None):
        context.logger.handle(_record(created=moment))


@hostile(GOOD)
def logs_records_of_other_kinds() -> None:
    for name, value in (("name", None), ("name", Hostile()), ("levelno", True), ("msg", Hostile()), ("exc_info", 5)):
        context.logger.handle(_record(**{name: value}))


def _record(**fields: Any) -> logging.LogRecord:
    return logging.makeLogRecord({"name": context.logger.name, "levelno": logging.WARNING, "levelname": "X", "msg": "odd", **fields})


@hostile(GOOD)
def logs_what_cannot_be_formatted() -> None:
    context.logger.info("%d", "x")
    context.logger.info("%s", Hostile())
    context.logger.info("%s", Quitting())
    context.logger.info("%s %s", 1)
    context.logger.info("odd", extra={"hostile": Hostile()})


@hostile(GOOD)
def logs_megabytes() -> None:
    context.logger.info("x" * 5_000_000)
    context.logger.info("\udcff" * 5_000_000)
    context.logger.info("\x00\x1b[31m\r\n" * 10_000)


# How it ends


@hostile(BAD)
def raises_what_is_not_utf8() -> None:
    raise FileNotFoundError(NOT_UTF8)


@hostile(BAD)
def raises_a_type_of_a_module_that_is_not_utf8() -> None:
    raise type("Odd", (Exception,), {"__module__": NOT_UTF8})("here")


@hostile(BAD)
def raises_in_a_file_that_is_not_utf8() -> None:
    exec(compile("def f():\n  raise RuntimeError('here')\nf()", NOT_UTF8, "exec"), {})


@hostile(BAD)
def raises_notes_that_are_not_utf8() -> None:
    error = RuntimeError("here")
    error.add_note(NOT_UTF8)
    raise error


@hostile(BAD)
def exits_with_what_is_not_utf8() -> None:
    sys.exit(NOT_UTF8)


@hostile(BAD)
def fails_with_what_is_not_utf8() -> None:
    raise signals.FAIL(NOT_UTF8)


@hostile(GOOD)
def skips_with_what_is_not_utf8() -> None:
    raise signals.SKIP(NOT_UTF8)


@hostile(GOOD)
def succeeds_with_what_is_not_utf8() -> None:
    raise signals.SUCCESS(NOT_UTF8, result=NOT_UTF8)


@hostile(GOOD)
def returns_a_state_that_is_not_utf8() -> Success:
    return Success(NOT_UTF8)


@hostile(GOOD, task_run_name=lambda **_: NOT_UTF8)
def is_named_what_is_not_utf8() -> None:
    pass


@hostile(GOOD)
def loops_with_what_is_not_utf8() -> None:
    if context.get("task_loop_count", 1) == 1:
        raise signals.LOOP(NOT_UTF8, result=NOT_UTF8)


@hostile(BAD, max_retries=1, retry_delay=0)
def retries_with_what_is_not_utf8() -> None:
    raise RuntimeError(NOT_UTF8)


@hostile(BAD)
def raises_a_hostile_error() -> None:
    raise HostileError


@hostile(BAD)
def raises_a_quitting_error() -> None:
    raise QuittingError


@hostile(BAD)
def raises_an_interrupting_error() -> None:
    raise InterruptingError


@hostile(BAD)
def raises_with_a_hostile_argument() -> None:
    raise ValueError(Hostile(), Quitting())


@hostile(BAD)
def raises_a_circle() -> None:
    first, second = RuntimeError("first"), RuntimeError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


@hostile(BAD)
def raises_a_group() -> None:
    raise BaseExceptionGroup("several", [HostileError(), QuittingError(), ExceptionGroup("more", [ValueError(NOT_UTF8)])])


@hostile(BAD)
def raises_what_cannot_be_made_again() -> None:
    raise TwoArguments("one", "two")


@hostile(BAD)
def raises_something_unknown() -> None:
    raise BaseException("neither an exception nor an exit")  # noqa: TRY002 - the point


@hostile(BAD)
def raises_a_cancellation() -> None:
    import asyncio

    raise asyncio.CancelledError


@hostile(BAD)
def is_interrupted_by_itself() -> None:
    raise KeyboardInterrupt


@hostile(BAD)
def fails_with_a_message_that_is_no_text() -> None:
    raise signals.FAIL(Hostile())  # type: ignore[arg-type]


@hostile(GOOD)
def skips_with_a_message_that_is_no_text() -> None:
    raise signals.SKIP(12345)  # type: ignore[arg-type]


@hostile(BAD)
def goes_without_end_of_calls() -> None:
    goes_without_end_of_calls()


# What it returns


@hostile(GOOD)
def returns_what_is_hostile() -> Hostile:
    return Hostile()


@hostile(GOOD)
def returns_what_quits() -> Quitting:
    return Quitting()


@hostile(BAD, result=InlineResult())
def returns_what_is_not_utf8_inline() -> str:
    return NOT_UTF8


@hostile(BAD, result=InlineResult())
def returns_deep_nesting_inline() -> Any:
    nested: Any = 1
    for _ in range(950):
        nested = [nested]
    return nested


@hostile(BAD, result=InlineResult())
def returns_endless_nesting_inline() -> Any:
    nested: list[Any] = []
    nested.append(nested)
    return nested


@hostile(BAD, result=InlineResult())
def returns_a_huge_integer_inline() -> int:
    return 2**70


@hostile(BAD, result=InlineResult())
def returns_no_number_inline() -> float:
    return float("nan")


@hostile(BAD, result=InlineResult())
def returns_other_keys_inline() -> dict[Any, Any]:
    return {1: "one", (2, 3): "two"}


@hostile(BAD, result=InlineResult())
def returns_what_is_hostile_inline() -> Hostile:
    return Hostile()


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
