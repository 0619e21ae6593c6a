"""The loggers of flows and tasks, all children of `headwater`, and the form of their lines.

Nothing is set up on import. The first logger asked for gives `headwater` a handler that writes to standard output at
level INFO (`HEADWATER_LOG_LEVEL` chooses another), unless the user's program gave it one before.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

from headwater.core.program.line_format import TIME_FORMAT
from headwater.core.text import escaped, shown, type_name
from headwater.sdk.context import log_records

ROOT_NAME = "headwater"
LEVEL_VARIABLE = "HEADWATER_LOG_LEVEL"

_set_up = threading.Lock()
_is_set_up = False


def get_logger(name: str | None = None) -> logging.Logger:
    """Return the logger `headwater.<name>`, or `headwater` itself."""
    if not _is_set_up:
        configure_logging()
    return logging.getLogger(f"{ROOT_NAME}.{name}" if name else ROOT_NAME)


def configure_logging() -> None:
    """Give the `headwater` logger its handler and level, once per process. What the user's program set before stays."""
    global _is_set_up  # noqa: PLW0603 - logging itself is per process
    with _set_up:
        if _is_set_up:
            return
        root = logging.getLogger(ROOT_NAME)
        if not root.handlers:
            handler = StdoutHandler()
            handler.setFormatter(_formatter())
            root.addHandler(handler)
        if root.level == logging.NOTSET:
            root.setLevel(level_from_environment())
        configure_extra_loggers()
        log_records.add_run_to_records()
        _is_set_up = True


@contextmanager
def setup_undone() -> Iterator[None]:
    """Let the block set logging up by its own settings, and leave it as it was: others may set it up by other settings."""
    global _is_set_up  # noqa: PLW0603 - logging itself is per process
    before, factory = _is_set_up, logging.getLogRecordFactory()
    loggers = [(logger, logger.handlers[:], logger.level) for logger in (logging.getLogger(ROOT_NAME), *_extra_loggers())]
    try:
        yield
    finally:
        for logger, handlers, level in loggers:
            logger.handlers[:] = handlers
            logger.setLevel(level)
        logging.setLogRecordFactory(factory)
        _is_set_up = before


def configure_extra_loggers() -> None:
    """Let the loggers that `logging.extra_loggers` of the configuration names write wherever `headwater` does."""
    root = logging.getLogger(ROOT_NAME)
    for handler in root.handlers:
        add_handler(handler)
    for logger in _extra_loggers():
        if logger.level == logging.NOTSET:
            logger.setLevel(root.level)


def add_handler(handler: logging.Handler) -> None:
    """Let `headwater`, and the extra loggers of the configuration, write to this handler too."""
    for logger in (logging.getLogger(ROOT_NAME), *_extra_loggers()):
        logger.addHandler(handler)


def _extra_loggers() -> list[logging.Logger]:
    listed = _configured()["extra_loggers"]
    return [logging.getLogger(str(name)) for name in ([listed] if isinstance(listed, str) else listed)]


@contextmanager
def temporary_logger_config(
    level: int | str | None = None, stream_fmt: str | None = None, stream_datefmt: str | None = None
) -> Iterator[None]:
    """Log from another level on, or in lines of another form, for the duration of a `with` block, in the whole process."""
    root = get_logger()
    streams = [handler for handler in root.handlers if isinstance(handler, logging.StreamHandler)]
    before = root.level, [handler.formatter for handler in streams]
    configured = _configured()
    if level is not None:
        root.setLevel(level)
    if stream_fmt is not None or stream_datefmt is not None:
        formatter = LineFormatter(stream_fmt or configured["format"], stream_datefmt or configured["datefmt"], defaults=_absent())
        for handler in streams:
            handler.setFormatter(formatter)
    try:
        yield
    finally:
        root.setLevel(before[0])
        for handler, former in zip(streams, before[1], strict=True):
            handler.setFormatter(former)


def _configured() -> Mapping[str, Any]:
    from headwater.sdk.context.configuration import config

    configured: Mapping[str, Any] = config["logging"]
    return configured


def _formatter() -> logging.Formatter:
    configured = _configured()
    return LineFormatter(configured["format"], configured["datefmt"], defaults=_absent())


def _absent() -> dict[str, None]:
    """Return what a format may name, though only records of runs have it."""
    return dict.fromkeys((*log_records.ATTRIBUTES, *log_records.log_attributes()))


def level_from_environment() -> int:
    """Return the level that `HEADWATER_LOG_LEVEL`, or else `logging.level` of the configuration, names; INFO where neither does."""
    levels = logging.getLevelNamesMapping()
    named = os.environ.get(LEVEL_VARIABLE) or str(_configured()["level"])
    return levels.get(named.strip().upper(), logging.INFO)


class LineFormatter(logging.Formatter):
    """Formats the time once per second: a run that logs much does it tens of thousands of times."""

    _second: int | None = None
    _text = ""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        second = int(record.created)
        if second != self._second:
            text = time.strftime(datefmt or TIME_FORMAT, self.converter(second))
            # Two threads may get here in different seconds; each returns what it formatted itself.
            self._text, self._second = text, second
            return text
        return self._text


class StdoutHandler(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stdout` is at the time of the line, so that redirecting it works, also in notebooks."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    def format(self, record: logging.LogRecord) -> str:
        try:
            line = super().format(record)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - what it says is the user's, and may raise anything
            plain = {"msg": message_of(record), "args": None, "name": shown(record.name, str), "levelname": shown(record.levelname, str)}
            line = super().format(logging.makeLogRecord(plain))
        # A file name that is not UTF-8, or a letter that the terminal lacks, must not cost the line.
        return escaped(line, getattr(self.stream, "encoding", None))

    @property
    def stream(self) -> TextIO:
        stdout = sys.stdout
        # A task with `log_stdout` turns what it prints into log lines; those go to the real output.
        return stdout.wrapped if isinstance(stdout, LoggedStdout) else stdout

    @stream.setter
    def stream(self, _: TextIO) -> None:
        raise AttributeError("This handler always follows sys.stdout.")


def message_of(record: logging.LogRecord) -> str:
    """Return what a record of logging says, whatever the user's program put into it."""
    try:
        return str.__str__(record.getMessage())
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - formatting runs the user's code, and its words are wanted all the more then
        text = shown(record.msg, str)
        return f"{text} (this line could not be formatted: {type_name(type(error))}: {shown(error, str)})"


class Prints:
    """Makes INFO lines of a logger from what is printed: one for each line, however many pieces it is written in."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._begun = ""
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """Take a piece. What does not end a line waits for the rest of it, or for `close`."""
        with self._lock:
            lines = (self._begun + text).splitlines(keepends=True)
            ends_here = not lines or lines[-1] != lines[-1].splitlines()[0] or len(lines[-1]) > BEGUN_CHARACTERS_MAX
            self._begun = "" if ends_here else lines.pop()
        for line in lines:
            self._log(line)

    def close(self) -> None:
        """Log the line that was begun and not ended."""
        with self._lock:
            line, self._begun = self._begun, ""
        self._log(line)

    def _log(self, line: str) -> None:
        if line.strip():
            self._logger.info("%s", line.splitlines()[0])


BEGUN_CHARACTERS_MAX = 100_000
"""A line of more characters does not wait for its end."""

prints: ContextVar[Prints | None] = ContextVar("headwater.prints", default=None)
"""What takes what is printed in the current task; None where printing is printing."""


class LoggedStdout(io.TextIOBase):
    """Stands for `sys.stdout` while tasks with `log_stdout` run: their prints become INFO lines of their loggers.

    Everything printed elsewhere, also in other threads, goes to `wrapped` as before.
    """

    def __init__(self, wrapped: TextIO) -> None:
        self.wrapped = wrapped

    def write(self, text: str) -> int:
        taker = prints.get()
        if taker is None:
            return self.wrapped.write(text)
        taker.write(text)
        return len(text)

    def flush(self) -> None:
        self.wrapped.flush()

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self.wrapped.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.wrapped.encoding

    def writable(self) -> bool:
        return True
