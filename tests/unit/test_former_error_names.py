"""Errors that got another name are found by the one they had: programs catch them, and pickles name them."""

from __future__ import annotations

import pickle

import pytest

from headwater.core import errors


@pytest.mark.parametrize(
    ("former", "today"),
    [
        ("KeyRefused", errors.AuthenticationFailed),
        ("NoAnswer", errors.RequestTimeout),
        ("Refused", errors.CommandRejected),
        ("VersionLocked", errors.VersionConflict),
    ],
)
def test_a_former_name_means_the_error_of_today(former: str, today: type[errors.HeadwaterError]) -> None:
    assert getattr(errors, former) is today
    assert pickle.loads(f"cheadwater.core.errors\n{former}\n.".encode()) is today


def test_a_name_that_no_error_had_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="NeverWas"):
        _ = errors.NeverWas
