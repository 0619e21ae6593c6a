from __future__ import annotations

import os
from pathlib import Path

import pytest

from headwater.sdk.context.files import file_name


@pytest.mark.parametrize(
    ("text", "name"),
    [("Hello, World!", "hello-world"), ("ÉTÉ 2026", "été-2026"), ("_a__b_", "a-b"), ("🎉", "unnamed"), ("n" * 255, "n" * 255)],
)
def test_a_name_is_made_of_letters_digits_and_hyphens(text: str, name: str) -> None:
    assert file_name(text) == name


@pytest.mark.parametrize("text", ["ü" * 255, "n" * 300, "漢" * 255, "ünïcode " * 40, "\udce9" * 300])
def test_a_name_too_long_for_the_file_system_is_cut_and_stays_its_own(text: str, tmp_path: Path) -> None:
    (tmp_path / file_name(text)).mkdir()

    assert file_name(text) == file_name(text)
    assert file_name(text) != file_name(text + "x")


def test_letters_that_the_locale_lacks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsencode", lambda name: name.encode("ascii"))

    assert file_name("été").isascii()
    assert file_name("été") != file_name("èté")
