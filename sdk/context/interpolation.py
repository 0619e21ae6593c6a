"""Values of the configuration that are made of others: `${section.key}` stands for another value, `$NAME` for a variable."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from headwater.core.errors import SettingsError
from headwater.core.program.user_paths import HomeUnavailable, user_path

DEPTH_MAX = 10
"""A value may refer to one that refers to one, and so on, this often; more is taken for a circle."""

_REFERENCE = re.compile(r"\$\{([^${}]+)\}")
_VARIABLE = re.compile(r"\$(\w+)")


def typed(text: str) -> Any:
    """Return what the text means as a Python value, such as `10`, `true` or `['a']`; the text itself where it means none."""
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text


def interpolated(values: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the values with all references filled in. Secrets stay what they are, whatever signs are in them.

    Raises:
        SettingsError: a value refers to one that is not there, or to itself.

    """
    expanded = {name: _expanded(value, environment, (name,)) for name, value in values.items()}
    return {name: _filled(value, expanded, (name,), 0) for name, value in expanded.items()}


def _is_secrets(place: tuple[str, ...]) -> bool:
    return place == ("context", "secrets")


def _expanded(value: Any, environment: Mapping[str, str], place: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return value if _is_secrets(place) else {key: _expanded(each, environment, (*place, key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_expanded(each, environment, place) for each in value]
    if not isinstance(value, str):
        return value
    text = _VARIABLE.sub(lambda match: environment.get(match[1], match[0]), value)
    if text == "~" or text.startswith("~/"):
        # Without a home, only the code that needs the value gets the error.
        with suppress(HomeUnavailable):
            text = str(user_path(text))
    return typed(text)


def _filled(value: Any, root: Mapping[str, Any], place: tuple[str, ...], depth: int) -> Any:
    if isinstance(value, dict):
        return value if _is_secrets(place) else {key: _filled(each, root, (*place, key), depth) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, root, place, depth) for each in value]
    while isinstance(value, str) and (match := _REFERENCE.search(value)) is not None:
        depth += 1
        if depth > DEPTH_MAX:
            raise SettingsError(f"The configuration refers to ${{{match[1]}}} in a circle.", hint="Write one of the values out.")
        found = _filled(_found(match[1], root), root, tuple(match[1].split(".")), depth)
        value = found if match[0] == value else value.replace(match[0], str(found), 1)
    return value


def _found(path: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for key in path.split("."):
        if not isinstance(found, Mapping) or key not in found:
            raise SettingsError(f"The configuration refers to ${{{path}}}, which is not there.", hint="Correct the reference.")
        found = found[key]
    return found
