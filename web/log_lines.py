"""Log lines as people see them: cleaned of what terminals obey, cut where they are huge, filtered as the reader asked."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from headwater.core.commit import Position
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
    """Which lines of a run somebody wants to see."""

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


@dataclass(frozen=True)
class ShownLine:
    """A line as the page shows it."""

    position: Position
    line: int
    at: datetime
    level: int
    logger: str
    message: str
    task: str
    map_index: int
    attempt: int


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


def shown_lines(messages: Iterable[RecordedLines], wanted: LineFilter) -> Iterator[ShownLine]:
    """Yield the wanted lines of these messages."""
    for message in messages:
        for number, line in enumerate(message.lines):
            if wanted.takes(level=line.level, message=line.message, task=line.task, map_index=line.map_index):
                yield ShownLine(
                    message.position, number, line.at, line.level, line.logger, line.message, line.task, line.map_index, message.attempt
                )


def rendered_lines(messages: Sequence[RecordedLines], wanted: LineFilter) -> str:
    """Return the wanted lines as the page has them; of very many, the last 5,000."""
    from headwater.web.rendering import environment

    template = environment().get_template("line.html")
    lines = list(shown_lines(messages, wanted))[-LINES_SENT_MAX:]
    return "".join(template.render(line=line) for line in lines)
