"""What a run logs, from its process to its supervisor, which stores it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from headwater.agents.failures import failure_in_words
from headwater.core.log.log_lines import LINE_CHARACTERS_MAX
from headwater.core.log.protocol import LogLine
from headwater.core.text import shown
from headwater.sdk.context.logging import message_of
from headwater.sdk.context.values import current_values


class LogLineHandler(logging.Handler):
    """A handler of log records for one attempt of a run. `send` takes each as a line, from any thread."""

    def __init__(self, send: Callable[[LogLine], None], *, with_source: bool = False) -> None:
        super().__init__()
        self._send_line = send
        self._with_source = with_source

    def emit(self, record: logging.LogRecord) -> None:
        """Send a record, from any thread, under the handler's lock."""
        try:
            self._send_line(line_of(record, with_source=self._with_source))
        except Exception:  # noqa: BLE001 - logging's own rule: what cannot be logged must not stop the program
            self.handleError(record)


def line_of(record: logging.LogRecord, *, with_source: bool = False) -> LogLine:
    """Return a record of logging as a line, whatever the user's program put into it."""
    message = message_of(record)
    if isinstance(record.exc_info, tuple) and isinstance(record.exc_info[1], BaseException):
        message = f"{message}\n{failure_in_words(record.exc_info[1], with_source=with_source)}"
    if len(message) > LINE_CHARACTERS_MAX:
        notice = f"… (cut: it has {len(message)} characters)"
        message = message[: LINE_CHARACTERS_MAX - len(notice)] + notice
    values = current_values.get()
    slug, index = values.get("task_slug"), values.get("map_index")
    return LogLine(
        at=_time_of(record.created),
        level=int(record.levelno) if isinstance(record.levelno, int) else logging.WARNING,
        logger=record.name if type(record.name) is str else shown(record.name, str),
        message=message,
        task=slug if type(slug) is str else "",
        map_index=index if type(index) is int else -1,
    )


def _time_of(seconds: object) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        return datetime.now(UTC)
