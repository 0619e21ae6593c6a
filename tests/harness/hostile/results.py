"""Tasks that return what no task should."""

from __future__ import annotations

from typing import Any

from harness.hostile.objects import NOT_UTF8, Hostile, Quitting
from harness.hostile.register import BAD, GOOD, hostile
from headwater.sdk.results import InlineResult


@hostile(GOOD)
def returns_what_is_hostile() -> Hostile:
    return Hostile()


@hostile(GOOD)
def returns_what_quits() -> Quitting:
    return Quitting()


@hostile(BAD, result=InlineResult())
def returns_what_is_not_utf8_inline() -> str:
    return NOT_UTF8


@hostile(BAD, result=InlineResult())
def returns_deep_nesting_inline() -> Any:
    nested: Any = 1
    for _ in range(950):
        nested = [nested]
    return nested


@hostile(BAD, result=InlineResult())
def returns_endless_nesting_inline() -> Any:
    nested: list[Any] = []
    nested.append(nested)
    return nested


@hostile(BAD, result=InlineResult())
def returns_a_huge_integer_inline() -> int:
    return 2**70


@hostile(BAD, result=InlineResult())
def returns_no_number_inline() -> float:
    return float("nan")


@hostile(BAD, result=InlineResult())
def returns_other_keys_inline() -> dict[Any, Any]:
    return {1: "one", (2, 3): "two"}


@hostile(BAD, result=InlineResult())
def returns_what_is_hostile_inline() -> Hostile:
    return Hostile()
