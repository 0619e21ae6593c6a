"""What people type and strangers write: positions in the log, and text that a terminal only shows."""

from __future__ import annotations

import pytest

from headwater.core.text import printable
from headwater.core.values.plain_values import position_in


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("0", 0),
        ("17", 17),
        ("0017", 17),
        ("0" * 5_000 + "3", 3),
        (str(2**63 - 1), 2**63 - 1),
        (str(2**63), None),
        ("9" * 5_000, None),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.0", None),
        (" 1", None),
        ("1_000", None),
        ("²", None),
        ("\u0661", None),
        ("12a", None),
        ("\udcff", None),
    ],
)
def test_digits_name_a_position_that_a_log_may_have(text: str, position: int | None) -> None:
    assert position_in(text) == position


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("an ordinary line", "an ordinary line"),
        ("größer als 3 · ✓", "größer als 3 · ✓"),
        ("two\nlines", "two\\nlines"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\x07\x00", "\\x07\\x00"),
        ("right to left: \u202e", "right to left: \\u202e"),
        ("\udcff", "\\udcff"),
    ],
)
def test_what_would_do_more_than_show_is_escaped(written: str, shown: str) -> None:
    assert printable(written) == shown
