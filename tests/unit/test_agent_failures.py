"""Exceptions as the log holds them."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import pytest

from headwater.agents.failures import FRAMES_MAX, MESSAGE_CHARACTERS_MAX, failure_in_words, failure_of, without_source


class OutOfStock(Exception):
    pass


def caught(call: Callable[[], None]) -> BaseException:
    with pytest.raises(Exception) as info:  # noqa: PT011 - whichever it is
        call()
    return info.value


def sell() -> None:
    raise OutOfStock("no more apples")  # visible_only_in_source


def resell() -> None:
    try:
        sell()
    except OutOfStock as error:
        raise RuntimeError("nothing to sell") from error


def test_a_failure_says_what_where_and_no_source() -> None:
    failure = failure_of(caught(sell))

    assert failure.type.endswith("OutOfStock")
    assert failure.message == "no more apples"
    assert failure.traceback[-1].function == "sell"
    assert failure.traceback[-1].file == __file__
    assert all(frame.source is None for frame in failure.traceback)


def test_a_failure_holds_source_where_it_is_wanted() -> None:
    assert "visible_only_in_source" in (failure_of(caught(sell), with_source=True).traceback[-1].source or "")


def test_the_words_tell_the_causes_first_and_show_no_source() -> None:
    words = failure_in_words(caught(resell))

    assert words.index("no more apples") < words.index("direct cause") < words.index("RuntimeError: nothing to sell")
    assert "visible_only_in_source" not in words
    assert "in sell" in words


def test_a_builtin_error_goes_by_its_plain_name() -> None:
    assert failure_of(KeyError("x")).type == "KeyError"


def test_long_messages_and_endless_recursion_are_cut() -> None:
    def forever() -> None:
        forever()

    assert len(failure_of(ValueError("x" * 100_000)).message) < MESSAGE_CHARACTERS_MAX + 10
    assert len(failure_of(caught(forever)).traceback) == FRAMES_MAX


def test_an_exception_whose_text_cannot_be_made_is_still_told() -> None:
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert "cannot be shown" in failure_of(Broken()).message


def test_printed_tracebacks_lose_their_source_lines_and_nothing_else() -> None:
    printed = ["before", *"".join(traceback.format_exception(caught(resell))).splitlines(), "    indented by the user", "after"]

    kept = without_source(printed)

    assert not [line for line in kept if "visible_only_in_source" in line or "^^^" in line]
    assert [line for line in printed if line.lstrip().startswith("File")] == [line for line in kept if line.lstrip().startswith("File")]
    assert kept[0] == "before"
    assert kept[-2:] == ["    indented by the user", "after"]


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({"__file__": __file__}, __file__),
        ({}, "<dynamic-code>"),
        ({"__file__": None}, "<dynamic-code>"),
        ({"__file__": 5}, "<dynamic-code>"),
    ],
)
def test_code_that_lost_the_name_of_its_file_goes_by_that_of_its_module(known: dict[str, object], shown: str) -> None:
    namespace: dict[str, Any] = {"__name__": "__main__", **known}
    exec(compile("\ndef fail():\n    raise OSError", "<dynamic-code>", "exec"), namespace)

    frame = failure_of(caught(namespace["fail"]), with_source=True).traceback[-1]

    assert (frame.file, frame.line) == (shown, 3)
    assert frame.source == ("from __future__ import annotations" if shown == __file__ else None)
