"""Exceptions as the log holds them: type, text and where they came from, without source text unless the user wants it."""

from __future__ import annotations

import linecache
import traceback
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType, FrameType

from headwater.core.events import Failure, Frame
from headwater.core.text import escaped, shown, type_name
from headwater.core.values.limits import INT32_MAX, NAME_CHARACTERS_MAX
from headwater.sdk.context.public_paths import public_path

FRAMES_MAX = 60
MESSAGE_CHARACTERS_MAX = 10_000
_CHAINED_MAX = 10
_GROUPED_MAX = 15
_CUT = " (cut)"
_GROUPS_MAX = 3
_NAMELESS = "<dynamic-code>"  # what cloudpickle since 3.1.3 calls the file of all code that others than Headwater pickled with it
_OUR_MODULES = ("headwater.sdk.engine.", "headwater.sdk.executors.", "headwater.sdk.results.", "headwater.sdk.states.", "headwater.agents.")


def failure_of(error: BaseException, *, with_source: bool = False) -> Failure:
    """Return what the log holds of an exception, whatever it is. `with_source` adds the text of the source lines."""
    name = cut(_stored_name(type(error)), NAME_CHARACTERS_MAX)
    try:
        frames = tuple(_frames_of(error, with_source=with_source))
    except Exception:  # noqa: BLE001 - a class of the user's may have its own idea of a traceback
        frames = ()
    return Failure(type=name, message=cut(shown(error, str)), traceback=frames)


def _stored_name(kind: type) -> str:
    """Return the class's name with the path that the log has always had for its module, wherever the class is now."""
    module, dot, name = type_name(kind).rpartition(".")
    return f"{public_path(module)}{dot}{name}"


def failure_in_words(error: BaseException, *, with_source: bool = False) -> str:
    """Return an exception, its traceback, what it came from and what it groups as text for a log line."""
    try:
        return "\n".join(_words_of(error, with_source=with_source, depth=0))
    except Exception:  # noqa: BLE001 - a class of the user's may have its own idea of causes and groups
        return f"{type_name(type(error))}: {shown(error, str)}"


def _words_of(error: BaseException, *, with_source: bool, depth: int) -> list[str]:
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
        if isinstance(link, BaseExceptionGroup) and depth < _GROUPS_MAX:
            for number, each in enumerate(link.exceptions[:_GROUPED_MAX], start=1):
                parts.append(f"  of these, number {number}:")
                parts.extend(f"  | {line}" for line in _words_of(each, with_source=with_source, depth=depth + 1))
        if joint:
            parts.extend(("", joint, ""))
    return parts


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
    seen: set[int] = set()
    joint = ""
    while current is not None and len(links) < _CHAINED_MAX and id(current) not in seen:
        seen.add(id(current))
        links.append((current, joint))
        if current.__cause__ is not None:
            current, joint = current.__cause__, "The above exception was the direct cause of the following exception:"
        elif current.__suppress_context__:
            current = None
        else:
            current, joint = current.__context__, "During handling of the above exception, another exception occurred:"
    yield from reversed(links)


def cut(text: str, characters_max: int = MESSAGE_CHARACTERS_MAX) -> str:
    """Return a text of the user's as the log takes it: in UTF-8, and with so many characters at most."""
    whole = escaped(text[:characters_max])
    if len(text) <= characters_max and len(whole) <= characters_max:
        return whole
    return f"{whole[: characters_max - len(_CUT)]}{_CUT}"


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
            file=cut(_file(frame), NAME_CHARACTERS_MAX),
            line=line if line is not None and 0 <= line <= INT32_MAX else 0,
            function=cut(_function(frame.f_code), NAME_CHARACTERS_MAX),
            source=_source(frame, line) if with_source else None,
        )
        for frame, line in places
    ]


def _source(frame: FrameType, line: int) -> str | None:
    try:
        return cut(linecache.getline(_file(frame), line, frame.f_globals).strip(), NAME_CHARACTERS_MAX) or None
    except Exception:  # noqa: BLE001 - a loader of the user's may give the text; without it, the place says enough
        return None


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
