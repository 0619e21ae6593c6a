"""Log lines as people see them, whatever was logged."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from headwater.core.log.protocol import LogLine, RecordedLines
from headwater.web.log_lines import (
    LINE_CHARACTERS_MAX,
    LINES_SENT_MAX,
    LineFilter,
    clean,
    level_name,
    line_filter,
    line_html,
    rendered_lines,
)

AT = datetime(2026, 5, 17, 12, 30, 15, 250_000, tzinfo=UTC)


def _line(message: str = "hello", *, level: int = 20, task: str = "", map_index: int = -1) -> LogLine:
    return LogLine(AT, level, "headwater.task", message, task, map_index)


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("\x1b[31mred\x1b[0m and \x1b[1;4mbold\x1b[m", "red and bold"),
        ("\x1b]0;a new title\x07after", "after"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("one\r\ntwo\tthree", "one\u240d\ntwo\tthree"),
        ("bell\x07 null\x00 delete\x7f", "bell\u2407 null\u2400 delete\u2421"),
        ("\u202eevil\u2066", "\ufffdevil\ufffd"),
        ("\ud800 alone", "\ufffd alone"),
        ("\x9b31m c1", "\ufffd31m c1"),
        ("\x1b", ""),
        ("plain ünïcode 🌊", "plain ünïcode 🌊"),
    ],
)
def test_what_terminals_obey_is_taken_out_or_made_visible(logged: str, shown: str) -> None:
    assert clean(logged) == shown


def test_html_is_text_and_a_line_of_a_megabyte_is_cut() -> None:
    html = line_html(_line("<script>alert(1)</script>" + "x" * 1_000_000), 7, 0)

    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert len(html) < LINE_CHARACTERS_MAX * 2
    assert "the download has all of it" in html


def test_levels_have_words_also_those_between() -> None:
    assert [level_name(level) for level in (10, 20, 30, 40, 50, 25)] == ["debug", "info", "warning", "error", "critical", "level 25"]


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        ({}, ["a", "b", "c"]),
        ({"level": "30"}, ["b"]),
        ({"level": "nonsense"}, ["a", "b", "c"]),
        ({"text": "B"}, ["b"]),
        ({"task": "t-1"}, ["c"]),
        ({"task": "t-1", "level": "30"}, []),
    ],
)
def test_lines_are_filtered_as_the_page_asks(query: dict[str, str], taken: list[str]) -> None:
    lines = (_line("a"), _line("b", level=30), _line("c", task="t-1", map_index=2))

    html = rendered_lines([RecordedLines(5, "r", 1, lines)], line_filter("r", query))

    assert [name for name in "abc" if f'<span class="text">{name}</span>' in html] == taken


def test_of_very_many_lines_the_last_are_sent() -> None:
    message = RecordedLines(5, "r", 1, tuple(_line(f"line {number}") for number in range(LINES_SENT_MAX + 10)))

    html = rendered_lines([message], LineFilter(run_id="r"))

    assert ">line 9<" not in html
    assert html.count("<div") == LINES_SENT_MAX
