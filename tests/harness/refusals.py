"""What a rule refuses a command with, for tables of refusals."""

from __future__ import annotations

from typing import Any

import pytest

from headwater.core.errors import CommandRejected, NotFound
from headwater.core.hints import Hint
from headwater.core.rules import Rules


def refusal(rules: Rules[Any, Any], state: object, command: object) -> tuple[type[CommandRejected], str, Hint | str | None]:
    """Return the kind, the sentence and the advice of the error that this command is refused with."""
    with pytest.raises(CommandRejected) as refused:
        rules.decide(state, command)
    error = refused.value
    if isinstance(error, NotFound):
        assert error.kind.islower(), "front ends build sentences of their own with it"
    return type(error), str(error), error.advice
