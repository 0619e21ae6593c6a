"""Texts with names in braces that settings of tasks are made of: names of runs, and places of results."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headwater.core.errors import InvalidArgument


def filled(setting: str, template: str | Callable[..., str], known: Mapping[str, Any]) -> str:
    """Return the template with the values it names in it, or what the function makes of them.

    Raises:
        InvalidArgument: it names what there is not.

    """
    if callable(template):
        return str.__str__(str(template(**known)))
    try:
        return template.format(**known)
    except (KeyError, IndexError) as error:
        name = error.args[0] if isinstance(error, KeyError) else "a value without a name"
        usable = ", ".join(sorted(name for name in known if not name.startswith("_")))
        raise InvalidArgument(f"{setting}={template!r} asks for {name!r}, which is not there.", hint=f"It can use {usable}.") from None
