"""Tasks that end as no task should."""

from __future__ import annotations

import sys

from harness.hostile.objects import NOT_UTF8, Hostile, HostileError, InterruptingError, Quitting, QuittingError, TwoArguments
from harness.hostile.register import BAD, GOOD, hostile
from headwater.sdk.context.context import context
from headwater.sdk.states import signals
from headwater.sdk.states.state import Success


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
