r"""Text as the log can hold it, whatever users put into it.

A Python text may hold lone surrogates: file names whose bytes are not UTF-8 come so from `os.listdir`. No JSON, no UTF-8 and no database
takes them. In sentences and log lines they are escaped (`\udcff`); in names and values they are refused, where these are given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

name_of: Callable[[type], str] = type.__dict__["__name__"].__get__
"""The name of a class. Never raises, whatever its metaclass says."""
_module_of = type.__dict__["__module__"].__get__
_qualifiedname_of = type.__dict__["__qualname__"].__get__


def escaped(text: str, encoding: str | None = None) -> str:
    """Return the text with what the encoding (None: UTF-8) cannot hold escaped."""
    if text.isascii():
        return text
    return text.encode(encoding or "utf-8", "backslashreplace").decode(encoding or "utf-8")


def printable(text: str) -> str:
    """Return the text with all escaped that would do more in a terminal than show: a stranger may have written it."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


_BLANK = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters of which nothing is seen."""


def seen(text: str) -> str:
    """Return the text, with all of it escaped where a reader would see nothing: a user's name for a run may be a zero-width space."""
    if text.isspace() or not text or any(each.isprintable() and each not in _BLANK and not each.isspace() for each in text):
        return text
    return text.encode("unicode_escape").decode()


def tame(text: str) -> str:
    """Return the text as a terminal may show it: what would steer it, or hide what stands there, is escaped as JSON does.

    Colours stay, tabs and line breaks too.
    """
    return _STEERING.sub(_tamed, text)


_STEERING = re.compile(r"(\x1b\[[0-9;:]*m)|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2060-\u2069\ufeff]")
"""What terminals take for commands, what turns the direction of writing, and what has no width: names and log lines hold what anyone
put there."""


def _tamed(found: re.Match[str]) -> str:
    return found[1] or f"\\u{ord(found[0]):04x}"


def is_utf8(text: str) -> bool:
    """Tell whether the text can be stored as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: object, words: Callable[[Any], str] = repr) -> str:
    """Return the value in words, for people: its `repr`, or with `words=str` its text. Never raises, whatever the value is.

    The value may be the user's, and may raise anything in its `__repr__`, an exit or an interrupt too.
    """
    try:
        return str.__str__(words(value))  # an instance of a class of the user's may derive from str
    except BaseException as error:  # noqa: BLE001 - words for people must not end what they are made for
        return f"<{name_of(type(value))}, which cannot be shown: {name_of(type(error))}>"


def type_name(kind: type) -> str:
    """Return the class's name with its module, but for what is built in. Never raises, whatever its metaclass says."""
    module = shown(_module_of(kind), str)
    name: str = _qualifiedname_of(kind)
    return name if module == "builtins" else f"{module}.{name}"
