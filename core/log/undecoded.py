"""Passing over commits without decoding them: most are about task runs, and most readers look for something else."""

from __future__ import annotations

from collections.abc import Callable

from headwater.core.events import Event

_ESCAPE = b"\\u"


def may_hold(*kinds: type[Event]) -> Callable[[bytes], bool]:
    """Return what tells of the bytes of a commit whether they may hold an event of these classes.

    False is sure. True is a guess that only saves work: texts may read like the name of an event, so the caller decodes, and looks
    at the events.
    """
    names = [str(kind.__struct_config__.tag) for kind in kinds]
    # Of several, all of their families ("run.", "agent."): one search of the bytes for each family, and not for each name.
    words = {f'"{names[0]}"'} if len(names) == 1 else {f'"{name.partition(".")[0]}.' for name in names}
    # JSON may spell any letter by its number; we never write a name so, but a stranger's encoder may.
    marks = (*(word.encode() for word in words), _ESCAPE)
    return lambda data: any(mark in data for mark in marks)
