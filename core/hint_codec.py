"""Hints as they travel and as programs read them: the sentence, and each action by its name with what it is about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import msgspec

from headwater.core.hints import AnyAction, Hint


class EncodedAction(msgspec.Struct, frozen=True, omit_defaults=True):
    """An action: its name, such as `RestartRun`, and its fields."""

    action: str
    about: dict[str, Any] = {}


class EncodedHint(msgspec.Struct, frozen=True, omit_defaults=True):
    """What to do: in `sentence`, each `{}` stands for one of the actions."""

    sentence: str
    actions: tuple[EncodedAction, ...] = ()


def encode_hint(hint: Hint) -> EncodedHint:
    """Return the hint as it travels."""
    return EncodedHint(hint.sentence, tuple(EncodedAction(_name(type(each)), each._asdict()) for each in hint.actions))


def decode_hint(encoded: EncodedHint) -> Hint | None:
    """Return the hint that was encoded; None where this version does not know one of its actions."""
    try:
        return Hint(encoded.sentence, tuple(_action(each) for each in encoded.actions))
    except (KeyError, TypeError):
        return None


def _name(kind: type[AnyAction]) -> str:
    return kind.__name__.removesuffix("Action")


def _action(encoded: EncodedAction) -> AnyAction:
    about = {name: tuple(value) if isinstance(value, list) else value for name, value in encoded.about.items()}
    return _ACTIONS[encoded.action](**about)


_ACTIONS: dict[str, Callable[..., AnyAction]] = {_name(kind): kind for kind in get_args(AnyAction)}
