"""The forms that arguments of run configs have; each misuse gets a sentence where it is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headwater.sdk.run_configs.errors import InvalidRunConfig

Variables = Mapping[str, str | float | bool | None]
"""Environment variables as users write them."""


def variable(name: Any, given: Any) -> str | None:
    """Return the value of an environment variable: a text, numbers and booleans as their text, None as it is.

    Raises:
        InvalidRunConfig: the name is not a text, or the value something else.

    """
    if isinstance(name, str) and (given is None or isinstance(given, str)):
        return given
    if isinstance(name, str) and isinstance(given, int | float):
        return str(given)
    raise InvalidRunConfig(
        f"Environment variables are texts, and {name!r}: {given!r} is not.",
        hint="Write it as a text, as json.dumps(...) does, and read it so in the flow.",
    )


def text(name: str, given: Any) -> str | None:
    """Return a text, or None.

    Raises:
        InvalidRunConfig: it is something else.

    """
    if given is None or isinstance(given, str):
        return given
    raise InvalidRunConfig(f"{name} takes a text, not {given!r}.", hint=f"Write {name}='...'.")


def quantity(name: str, given: Any) -> str | None:
    """Return an amount of processors or memory as a text, such as '0.5' for 0.5, or None.

    Raises:
        InvalidRunConfig: it is neither a number nor a text.

    """
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        return str(given)
    raise InvalidRunConfig(f"{name} takes a number or a text, not {given!r}.", hint=f"Write {name}=1 or {name}='500m'.")


def mapping(name: str, given: Any) -> dict[str, Any] | None:
    """Return a dict, or None.

    Raises:
        InvalidRunConfig: it is something else.

    """
    if given is None:
        return None
    if isinstance(given, Mapping):
        return dict(given)
    raise InvalidRunConfig(f"{name} takes a dict, not {given!r}.", hint=f"Write {name}={{'key': 'value'}}.")


def several(name: str, given: Any, kind: type = str) -> list[Any] | None:
    """Return a list of texts (or of another kind), or None.

    Raises:
        InvalidRunConfig: it is something else, one text for example.

    """
    if given is None:
        return None
    if isinstance(given, str | Mapping) or not isinstance(given, Iterable):
        raise InvalidRunConfig(f"{name} takes a list, not {given!r}.", hint=f"Write {name}=[{given!r}].")
    chosen = list(given)
    wrong = [each for each in chosen if not isinstance(each, kind) or isinstance(each, bool)]
    if wrong:
        raise InvalidRunConfig(f"{name} takes a list of {kind.__name__}, and {wrong[0]!r} is not one.")
    return chosen


def at_most_one(**given: Any) -> None:
    """Check that not more than one of these was given.

    Raises:
        InvalidRunConfig: two were.

    """
    chosen = [name for name, value in given.items() if value is not None]
    if len(chosen) > 1:
        sentence = f"Cannot provide both {' and '.join(given)}" if len(given) == 2 else f"Can only provide one of {', '.join(given)}"  # noqa: PLR2004
        raise InvalidRunConfig(f"{sentence}: each says the same thing.", hint=f"Leave out {chosen[-1]}.")
