"""Exceptions as the log holds them: type, text and where they came from, without source text unless the user wants it."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType, FrameType

from headwater.core.events import Failure, Frame

FRAMES_MAX = 60
MESSAGE_CHARACTERS_MAX = 10_000
_CHAINED_MAX = 10
_NAMELESS = "<dynamic-code>"  # what cloudpickle since 3.1.3 calls the file of all code that others than Headwater pickled with it
_OUR_MODULES = ("headwater.engine.", "headwater.executors.", "headwater.agents.")


def failure_of(error: BaseException, *, with_source: bool = False) -> Failure:
    """Return what the log holds of an exception. `with_source` adds the text of the source lines."""
    kind = type(error)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return Failure(type=name, message=_text_of(error), traceback=tuple(_frames_of(error, with_source=with_source)))


def failure_in_words(error: BaseException, *, with_source: bool = False) -> str:
    """Return an exception, its traceback and what it came from as text for a log line."""
    parts: list[str] = []
    for link, joint in _chain(error):
        failure = failure_of(link, with_source=with_source)
        if failure.traceback:
            parts.append("Traceback (most recent call last):")
        for frame in failure.traceback:
            parts.append(f'  File "{frame.file}", line {frame.line}, in {frame.function}')
            if frame.source:
                parts.append(f"    {frame.source}")
        parts.append(f"{failure.type}: {failure.message}" if failure.message else failure.type)
        if joint:
            parts.extend(("", joint, ""))
    return "\n".join(parts)


def without_source(lines: Iterable[str]) -> list[str]:
    """Return printed lines without the source text that Python shows below the places of a traceback."""
    kept: list[str] = []
    in_place = False
    for line in lines:
        is_place = line.lstrip(" |+").startswith('File "') and ", line " in line
        if is_place or not (in_place and line.startswith("    ")):
            kept.append(line)
            in_place = is_place
    return kept


def _chain(error: BaseException) -> Iterator[tuple[BaseException, str]]:
    """Yield what the exception came from, oldest first, and then itself; each with the words that join it to the next."""
    links: list[tuple[BaseException, str]] = []
    current: BaseException | None = error
    joint = ""
    while current is not None and len(links) < _CHAINED_MAX:
        links.append((current, joint))
        if current.__cause__ is not None:
            current, joint = current.__cause__, "The above exception was the direct cause of the following exception:"
        elif current.__suppress_context__:
            current = None
        else:
            current, joint = current.__context__, "During handling of the above exception, another exception occurred:"
    yield from reversed(links)


def _text_of(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception as broken:  # noqa: BLE001 - an exception of the user's whose text cannot be made is still one
        text = f"(its text cannot be shown: {type(broken).__name__})"
    return text if len(text) <= MESSAGE_CHARACTERS_MAX else text[:MESSAGE_CHARACTERS_MAX] + " (cut)"


def _frames_of(error: BaseException, *, with_source: bool) -> Sequence[Frame]:
    """Return where the exception came from, the outermost first, beginning with the user's code."""
    places = list(traceback.walk_tb(error.__traceback__))
    while places and _is_ours(places[0][0]):
        del places[0]
    if len(places) > FRAMES_MAX:
        # Endless recursion: its beginning and its end tell.
        places = [*places[: FRAMES_MAX // 2], *places[-FRAMES_MAX // 2 :]]
    return [
        Frame(
            file=_file(frame),
            line=line,
            function=_function(frame.f_code),
            source=linecache.getline(_file(frame), line, frame.f_globals).strip() or None if with_source else None,
        )
        for frame, line in places
    ]


def _file(frame: FrameType) -> str:
    """Return the file of the code; where its own name was lost, that of its module, which travels with each function."""
    file = frame.f_code.co_filename
    of_module = frame.f_globals.get("__file__") if file == _NAMELESS else None
    return of_module if isinstance(of_module, str) else file


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_globals.get("__name__", "")
    return isinstance(name, str) and name.startswith(_OUR_MODULES)


def _function(code: CodeType) -> str:
    """Return the function's name. Of code that came from another process only the short one is left."""
    return code.co_name if code.co_qualname == "<module>" else code.co_qualname
