"""Results that lie in an event, for task runs whose state is set by a user."""

from __future__ import annotations

import msgspec

from headwater.core.errors import InvalidArgument
from headwater.core.events import ResultReference
from headwater.core.values.bounds import INLINE_RESULT_BYTES_MAX
from headwater.core.values.json_values import json_problem


def inline_result(value: object) -> ResultReference:
    """Return the reference that holds a value itself.

    Raises:
        InvalidArgument: it is not JSON, or larger than 64 KB.

    """
    problem = json_problem(value)
    if problem is not None:
        raise InvalidArgument(f"The result is not JSON: {problem}.")
    size = len(msgspec.json.encode(value))
    if size > INLINE_RESULT_BYTES_MAX:
        raise InvalidArgument(
            f"The result has {size} bytes; {INLINE_RESULT_BYTES_MAX} may be given this way.",
            hint="Let the task run, or give a place to look at.",
        )
    return ResultReference(type="InlineResult", value=value)
