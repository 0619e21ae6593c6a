"""Which parameters a run gets, and what is said where they are not right."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.core.errors import InvalidParameters
from headwater.core.events import ParameterSpec
from headwater.core.runs.parameters import PARAMETERS_BYTES_MAX, check_values, run_parameters, with_defaults

DAY, LIMIT = ParameterSpec("day", required=True), ParameterSpec("limit", default=10)
DECLARED = (DAY, LIMIT)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"day": "monday"}, {"day": "monday", "limit": 10}),
        ({"day": None, "limit": 0}, {"day": None, "limit": 0}),
        ({"limit": False, "day": ""}, {"day": "", "limit": False}),
    ],
)
def test_a_run_gets_what_was_given_and_else_the_defaults(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert run_parameters(DECLARED, given) == expected


def test_a_default_of_the_flow_stands_before_that_of_its_version_and_is_required_no_more() -> None:
    assert with_defaults(DECLARED, {"day": 0, "nobody's": 1}) == (ParameterSpec("day", default=0), LIMIT)
    assert with_defaults(DECLARED, {"limit": None}) == (DAY, ParameterSpec("limit", default=None))
    assert run_parameters(with_defaults(DECLARED, {"day": "today"}), {}) == {"day": "today", "limit": 10}


TOO_MANY = {"day": "x" * PARAMETERS_BYTES_MAX, "limit": 1}


@pytest.mark.parametrize(
    ("declared", "given", "sentence", "advice"),
    [
        (
            DECLARED,
            {},
            "Required parameters were not supplied: 'day'.",
            "Give each with `--param day=VALUE`, or in `parameters=`.",
        ),
        (
            (DAY, LIMIT, ParameterSpec("hour", required=True)),
            {"limit": 1},
            "Required parameters were not supplied: 'day', 'hour'.",
            "Give each with `--param day=VALUE`, or in `parameters=`.",
        ),
        (DECLARED, {"day": 1, "lmit": 1}, "The flow has no parameter 'lmit'.", "Did you mean 'limit'? It takes: day, limit."),
        (DECLARED[::-1], {"day": 1, "zzz": 1}, "The flow has no parameter 'zzz'.", "It takes: day, limit."),
        ((), {"day": 1}, "The flow has no parameter 'day'.", "It takes none."),
        (DECLARED, {"day": {1}}, "The value of parameter 'day' is not JSON: set is not a JSON type.", None),
        (
            DECLARED,
            TOO_MANY,
            "The parameters hold 262164 bytes; at most 262144 are allowed.",
            "Pass a reference to the data, such as a path, instead of the data.",
        ),
    ],
)
def test_what_is_not_right_is_refused_with_what_would_be(
    declared: tuple[ParameterSpec, ...], given: dict[str, Any], sentence: str, advice: str | None
) -> None:
    with pytest.raises(InvalidParameters) as refused:
        run_parameters(declared, given)

    assert (str(refused.value), refused.value.advice) == (sentence, advice)


def test_parameters_may_hold_256_kilobytes_and_not_a_byte_more() -> None:
    around = len('{"x":""}')

    check_values({"x": "x" * (PARAMETERS_BYTES_MAX - around)})
    with pytest.raises(InvalidParameters, match="hold 262145 bytes"):
        check_values({"x": "x" * (PARAMETERS_BYTES_MAX - around + 1)})
