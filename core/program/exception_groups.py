"""One error out of a group of them. Imports nothing that takes time: every command of the command line has it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unwrap_exception_group() -> Iterator[None]:
    """Raise the one error of a task group by itself: callers of a function that uses a group inside expect plain errors.

    Where several failed at once, the first is raised and the others are noted on it.
    """
    try:
        yield
    except BaseExceptionGroup as group:
        errors = list(_leaves(group))
        first = next((error for error in errors if isinstance(error, Exception)), errors[0])
        for other in errors:
            if other is not first:
                first.add_note(f"Also failed: {other!r}")
        raise first from first.__cause__


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
