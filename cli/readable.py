"""What people type, checked at one edge before any command sees it: words must be text that can be sent, stored and shown."""

from __future__ import annotations

import os
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.values.plain_values import problem_of_text


def check_words(command: Any) -> None:
    """Let the command refuse words that are not text before it begins.

    The system hands over bytes that are not UTF-8 as halves of characters, which nothing that leaves this process can hold. Names of
    files alone may be so: those that are opened here, and go nowhere.
    """
    inner = command.callback
    if inner is None:
        return
    options = {parameter.name: _spoken(parameter) for parameter in command.params}
    files = {parameter.name for parameter in command.params if parameter.metavar in {"PATH", "DIR", "FILE"}}

    def checked(*arguments: Any, **values: Any) -> Any:
        return inner(
            *arguments, **{name: _read(value, options.get(name, name), names_files=name in files) for name, value in values.items()}
        )

    command.callback = checked


def require_text(word: str, *, what: str) -> None:
    """Check that a word is text.

    Raises:
        InvalidArgument: it is not; `what` names it in the sentence.

    """
    if problem_of_text(word) is not None:
        raise InvalidArgument(f"{what} is not UTF-8 text: {word!r}.", hint="Only names of files that are read here may be other bytes.")
    if "\0" in word:
        raise InvalidArgument(f"{what} holds a NUL character: {word!r}.")


def _read(value: Any, what: str, *, names_files: bool) -> Any:
    """Return the value with its words as text. Names of files stay as the system has them: it opens them so."""
    if isinstance(value, list | tuple):
        return [_read(each, what, names_files=names_files) for each in value]
    if not isinstance(value, str):
        return value
    text = value if names_files else as_typed(value)
    require_text(text, what=what)
    return text


def as_typed(word: str) -> str:
    """Return the word as it was typed: where the locale knows ASCII only, letters beyond that came as bytes, which are UTF-8."""
    try:
        return os.fsencode(word).decode() if problem_of_text(word) is not None else word
    except UnicodeError:
        return word


def _spoken(parameter: Any) -> str:
    return str(parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar or parameter.name)
