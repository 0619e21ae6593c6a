from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from headwater.cli.output import (
    TableColumn,
    age,
    coloured,
    examples,
    format_cell,
    print_json,
    print_json_list,
    print_json_parts,
    print_table,
    span,
    state_colour,
)
from headwater.core.states import StateName

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
UUID = "0199c0de-7a3e-7000-8000-0123456789ab"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    found = Terminal()
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return found


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        (timedelta(0), "0 seconds ago"),
        (timedelta(seconds=1), "1 second ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(days=13), "1 week ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_an_age_is_shown_in_its_largest_unit(passed: timedelta, words: str) -> None:
    assert age(NOW - passed, now=NOW) == words


def test_a_clock_that_runs_ahead_does_not_make_a_negative_age() -> None:
    assert span(timedelta(seconds=-5)) == "0 seconds"


def test_what_is_piped_is_never_cut_and_never_coloured(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([TableColumn("NAME"), TableColumn("STATE", is_state=True), TableColumn("ID", whole=True)], [("n" * 300, "Success", UUID)])

    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["NAME", "STATE", "ID"]
    assert row.split() == ["n" * 300, "Success", UUID]


def test_in_a_terminal_a_table_fits_and_ids_stay_whole(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    print_table([TableColumn("NAME"), TableColumn("FLOW NAME"), TableColumn("ID", whole=True)], [("n" * 300, "f" * 300, UUID)])

    row = terminal.getvalue().splitlines()[1]
    assert UUID in row
    assert len(row) <= 80
    assert "…" in row


def test_a_state_is_coloured_in_a_terminal_unless_colours_are_unwanted(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    print_table([TableColumn("STATE", is_state=True)], [("Success",)])
    assert "\x1b[" in terminal.getvalue().splitlines()[1]

    terminal.truncate(0)
    terminal.seek(0)
    monkeypatch.setenv("NO_COLOR", "1")
    print_table([TableColumn("STATE", is_state=True)], [("Success",)])
    assert terminal.getvalue().splitlines()[1] == "Success"
    assert coloured("words", "green") == "words"


def test_a_column_may_have_colours_of_its_own_by_the_first_word(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    column = TableColumn("STATE", colours={"paused": "yellow"})
    print_table([column, TableColumn("NAME")], [("paused (too many failures)", "etl"), ("active", "load")])

    _, paused, active = terminal.getvalue().splitlines()
    assert "\x1b[33mpaused (too many failures)\x1b[0m  etl" in paused
    assert "\x1b[" not in active


def test_names_are_shown_as_they_are_and_never_read_as_markup(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([TableColumn("NAME")], [("[bold]Hello, World! :smile:",)])

    assert capsys.readouterr().out.splitlines()[1] == "[bold]Hello, World! :smile:"


def test_every_state_has_a_colour_of_its_own_kind() -> None:
    colours = {state: state_colour(state.value) for state in StateName}

    assert colours[StateName.SUCCESS] == "#28a745"
    assert all(colour.startswith("#") and len(colour) == 7 for colour in colours.values())
    assert "#808080" not in colours.values()


def test_json_is_indented_and_keeps_letters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"name": "Grüße 🎉", "at": NOW}])

    assert capsys.readouterr().out == '[\n  {\n    "at": "2026-11-21T12:00:00Z",\n    "name": "Grüße 🎉"\n  }\n]\n'


def test_values_are_shown_as_people_read_them() -> None:
    assert [format_cell(value) for value in (None, True, ("a", "b"), (), 3)] == ["-", "yes", "a, b", "-", "3"]


def test_examples_keep_their_lines_in_the_help() -> None:
    assert examples("headwater version") == "\b\nExample:\n  headwater version"
    assert examples("a", "b") == "\b\nExamples:\n  a\n  b"


def test_columns_stay_aligned_under_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    print_table([TableColumn("NAME"), TableColumn("N", right=True)], [("🎉🎉", 1), ("plain", 22)])

    assert capsys.readouterr().out.splitlines() == ["NAME    N", "🎉🎉    1", "plain  22"]


@pytest.mark.parametrize("rows", [[], [{"b": 1, "a": [1, {"c": None}]}], [{"a": "x\ny"}, [], {}]])
def test_json_printed_piece_by_piece_is_json_printed_at_once(rows: list[object], capsys: pytest.CaptureFixture[str]) -> None:
    print_json(rows)
    at_once = capsys.readouterr().out
    print_json_list(iter(rows))
    assert capsys.readouterr().out == at_once

    print_json({"at": NOW, "count": len(rows), "rows": rows})
    at_once = capsys.readouterr().out
    print_json_parts([("at", NOW), ("count", len(rows)), ("rows", iter(rows))])
    assert capsys.readouterr().out == at_once


def test_a_table_of_very_many_rows_is_printed_before_the_last_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[str] = []

    def rows() -> Iterator[tuple[object, ...]]:
        for number in range(10_000):
            yield f"run-{number}", "Success"
        seen.append(capsys.readouterr().out)

    print_table([TableColumn("NAME"), TableColumn("STATE", is_state=True)], rows())

    lines = [*"".join(seen).splitlines(), *capsys.readouterr().out.splitlines()]
    assert len("".join(seen).splitlines()) > 8_000
    assert [line.split() for line in lines] == [["NAME", "STATE"], *([f"run-{number}", "Success"] for number in range(10_000))]
    assert lines[1].index("Success") == lines[0].index("STATE")
