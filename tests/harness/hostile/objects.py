"""Values and errors that are hostile to all that look at them."""

from __future__ import annotations

from typing import Any, NoReturn

NOT_UTF8 = b"report-\xff.csv".decode("utf-8", "surrogateescape")
"""A file name as `os.listdir` gives it where its bytes are not UTF-8."""


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
