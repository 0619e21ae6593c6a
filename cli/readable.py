"""What people type, checked at one edge before any command sees it: words must be text that can be sent, stored and shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.core.plain_values import problem_of_text


def check_words(command: Any) -> None:
    """Let the command refuse words that are not text before it begins.

    The system hands over bytes that are not UTF-8 as halves of characters, which nothing that leaves this process can hold. Names of
    files alone may be so: those that are opened here, and go nowhere.
    """
    inner = command.callback
    if inner is None:
        return
    options = {parameter.name: _spoken(parameter) for parameter in command.params}

    def checked(*arguments: Any, **values: Any) -> Any:
        for name, value in values.items():
            for word in _words(value):
                require_text(word, what=options.get(name, name))
        return inner(*arguments, **values)

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


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        yield from (each for each in value if isinstance(each, str))


def _spoken(parameter: Any) -> str:
    return str(parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar or parameter.name)
