"""Log lines as people see them: cleaned of what terminals obey, cut where they are huge, filtered as the reader asked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from markupsafe import Markup

from headwater.core.log.commit import Position
from headwater.core.log.protocol import RecordedLines

LINE_CHARACTERS_MAX = 4000
LINES_SENT_MAX = 5000

# Colours and cursor movements; titles and links; and what is left of escapes.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?")
# Characters that are invisible or change the direction of what follows; tab and line feed stay.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_DELETE = 0x7F
_C0_END = 0x20


@dataclass(frozen=True, kw_only=True)
class LineFilter:
    """Which lines of a run a user wants to see."""

    run_id: str
    min_level: int = 0
    text: str = ""
    task: str | None = None
    map_index: int | None = None

    def takes(self, *, level: int, message: str, task: str, map_index: int) -> bool:
        """Tell whether a line is one of them. Text is found whatever its case."""
        return (
            level >= self.min_level
            and (self.task is None or task == self.task)
            and (self.map_index is None or map_index == self.map_index)
            and (not self.text or self.text.casefold() in message.casefold())
        )


def line_filter(run_id: str, query: Mapping[str, str]) -> LineFilter:
    """Return the filter that a page's query asks for."""
    level = query.get("level", "")
    return LineFilter(
        run_id=run_id,
        min_level=int(level) if level.isascii() and level.isdigit() and len(level) < 4 else 0,  # noqa: PLR2004 - levels end at 50
        text=query.get("text", ""),
        task=query.get("task") or None,
    )


def clean(text: str) -> str:
    """Return the text without terminal escapes; other control characters become visible ones."""
    return _CONTROLS.sub(_visible, _ESCAPES.sub("", text))


def _visible(found: re.Match[str]) -> str:
    code = ord(found.group())
    if code < _C0_END:
        return chr(0x2400 + code)
    return "\u2421" if code == _DELETE else "\ufffd"


def shortened(text: str) -> str:
    """Return the text, cut where it is too long for a page; the whole of it is in the download."""
    if len(text) <= LINE_CHARACTERS_MAX:
        return text
    return f"{text[:LINE_CHARACTERS_MAX]} … (cut here; the download has all of it)"


def level_name(level: int) -> str:
    """Return the word for a level; a level between two is named after the lower one."""
    if level in {logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL}:
        return logging.getLevelName(level).lower()
    return f"level {level}"


class LogLineView(Protocol):
    """What is shown of a line, wherever it comes from."""

    @property
    def at(self) -> datetime: ...
    @property
    def level(self) -> int: ...
    @property
    def logger(self) -> str: ...
    @property
    def message(self) -> str: ...


_LINE = Markup(
    '<div class="log l{band}" id="g-{position}-{number}"><span class="at">'
    '<time datetime="{iso}" data-clock title="{iso}">{clock}</time></span><span class="level">{level}</span>'
    '<span class="from">{logger}</span><span class="text">{message}</span></div>\n'
)


def line_html(line: LogLineView, position: Position, number: int) -> Markup:
    """Return a line as pages have it. Not a template: pages have thousands of them."""
    at = line.at.astimezone(UTC)
    return _LINE.format(
        band=line.level // 10 * 10,
        position=position,
        number=number,
        iso=at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        clock=f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}",
        level=level_name(line.level),
        logger=shortened(clean(line.logger)),
        message=shortened(clean(line.message)),
    )


def rendered_lines(messages: Iterable[RecordedLines], wanted: LineFilter) -> str:
    """Return the wanted lines of these messages as the page has them; of very many, the last 5,000."""
    shown = [
        line_html(line, message.position, number)
        for message in messages
        for number, line in enumerate(message.lines)
        if wanted.takes(level=line.level, message=line.message, task=line.task, map_index=line.map_index)
    ]
    return "".join(shown[-LINES_SENT_MAX:])
