from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from headwater.cli.values import parameters_from, parsed_object, parsed_pairs, parsed_time
from headwater.core.errors import InvalidArgument, InvalidParameters


def test_a_value_is_json_and_a_bare_word_is_itself() -> None:
    given = ["count=3", "rate=0.5", "on=true", "none=null", "day=2026-11-21", "name=ana", 'names=["ana", "bo"]', "empty=", 'quoted="3"']

    assert parsed_pairs(given, option="--param") == {
        "count": 3,
        "rate": 0.5,
        "on": True,
        "none": None,
        "day": "2026-11-21",
        "name": "ana",
        "names": ["ana", "bo"],
        "empty": "",
        "quoted": "3",
    }


def test_a_value_may_hold_an_equals_sign() -> None:
    assert parsed_pairs(["query=a=b"], option="--param") == {"query": "a=b"}


@pytest.mark.parametrize("pair", ["count", "=3", ""])
def test_what_is_not_a_pair_is_refused_with_an_example(pair: str) -> None:
    with pytest.raises(InvalidArgument, match="NAME=VALUE") as refusal:
        parsed_pairs([pair], option="--param")

    assert refusal.value.hint == "Such as --param count=3."


@pytest.mark.parametrize("text", ['{"a": 1', "[1, 2", '"open', "{a: 1}"])
def test_what_begins_like_json_and_is_none_is_refused_and_the_place_told(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"--param x is not JSON: .* at character \d+"):
        parsed_pairs([f"x={text}"], option="--param")


def test_a_parameter_file_holds_an_object(tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    file.write_text('{"x": 1}')

    assert parameters_from(file) == {"x": 1}


def test_a_parameter_file_that_cannot_be_read_or_is_not_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameters, match=r"nowhere\.json cannot be read: No such file"):
        parameters_from(tmp_path / "nowhere.json")
    (tmp_path / "wrong.json").write_text("{\n  x: 1\n}")
    with pytest.raises(InvalidParameters, match=r"wrong\.json is not JSON: .* at line 2"):
        parameters_from(tmp_path / "wrong.json")
    with pytest.raises(InvalidParameters, match="holds list, not an object"):
        parsed_object("[1]", source="--parameters-string")


def test_a_time_without_a_zone_is_on_this_machine() -> None:
    assert parsed_time("2026-11-22T06:00", option="--scheduled-at") == datetime(2026, 11, 22, 6).astimezone()
    assert parsed_time("2026-11-22T06:00Z", option="--scheduled-at") == datetime.fromisoformat("2026-11-22T06:00+00:00")


def test_what_is_not_a_time_is_refused_with_an_example() -> None:
    with pytest.raises(InvalidArgument, match="'tomorrow' is not a time") as refusal:
        parsed_time("tomorrow", option="--scheduled-at")

    assert "2026-11-22" in str(refusal.value.hint)
