"""What all kinds of storage have in common in which flows cannot be kept yet: they remember what they were given."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, ClassVar, Self

from headwater.sdk.context.files import file_name
from headwater.sdk.storage.base import Storage
from headwater.sdk.storage.errors import InvalidStorage, StorageNotSupported

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow

IN_A_BUCKET = "Leave storage out, or give Local() or Module(...), where the agent finds the files."
IN_A_REPOSITORY = "Clone the repository where the agent runs, and give Local(path='.../flow.py', stored_as_script=True)."
_OF_ALL = frozenset({"result", "secrets", "labels", "flows", "add_default_labels", "stored_as_script"})


class RemoteStorage(Storage):
    """Storage elsewhere. A flow with one can be run by `flow.run()`; registering it says what works instead."""

    place: ClassVar[str]
    """What the storage stands for, as people call it."""
    instead: ClassVar[str]
    """What to do until flows can be kept there, as a sentence."""

    def check_supported(self) -> None:
        raise StorageNotSupported(type(self).__name__, self.place, self.instead)

    def add_flow(self, flow: Flow) -> str:
        """Take a flow, and return where its code would lie."""
        return super().add_flow(flow)

    def build(self) -> Self:
        """Refuse to store anything. Raises `StorageNotSupported`."""
        raise StorageNotSupported(type(self).__name__, self.place, self.instead)

    def get_flow(self, flow_name: str) -> Flow:  # noqa: ARG002 - whichever it is
        """Refuse to fetch anything. Raises `StorageNotSupported`."""
        raise StorageNotSupported(type(self).__name__, self.place, self.instead)

    def settings(self) -> dict[str, Any]:
        chosen = {name: _json(value) for name, value in vars(self).items() if not name.startswith("_") and name not in _OF_ALL}
        return {**super().settings(), **chosen}

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RemoteStorage):
            return NotImplemented
        return self.serialize() == other.serialize()

    __hash__ = None  # type: ignore[assignment]


def required(storage: str, argument: str, given: Any) -> str:
    """Return a text that a storage cannot do without.

    Raises:
        InvalidStorage: it is empty, or not a text.

    """
    text = optional(storage, argument, given)
    if text is not None and text.strip():
        return text
    raise InvalidStorage(f"{storage} needs {argument}, a text, and {given!r} is not one.", hint=f"Write {storage}({argument}='...').")


def optional(storage: str, argument: str, given: Any) -> str | None:
    """Return a text, or None; of a path, its text.

    Raises:
        InvalidStorage: it is something else.

    """
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, PathLike):
        return str(fspath(given))
    raise InvalidStorage(f"{storage}: {argument} takes a text, not {given!r}.", hint=f"Write {argument}='...'.")


def settings_of(storage: str, argument: str, given: Any) -> dict[str, Any] | None:
    """Return a dict, or None.

    Raises:
        InvalidStorage: it is something else.

    """
    if given is None or isinstance(given, Mapping):
        return None if given is None else dict(given)
    raise InvalidStorage(f"{storage}: {argument} takes a dict, not {given!r}.", hint=f"Write {argument}={{'key': 'value'}}.")


def list_of(storage: str, argument: str, given: Any) -> list[str]:
    """Return a list of texts, empty for None.

    Raises:
        InvalidStorage: it is something else, one text for example.

    """
    if given is None:
        return []
    if isinstance(given, list | tuple | set | frozenset) and all(isinstance(each, str) for each in given):
        return sorted(given) if isinstance(given, set | frozenset) else list(given)
    raise InvalidStorage(f"{storage}: {argument} takes a list of texts, not {given!r}.", hint=f"Write {argument}=['...'].")


def place_of(flow: Flow) -> str:
    """Return a place of its own for a flow: its name, and the time."""
    return f"{file_name(flow.name)}/{file_name(datetime.now(UTC).isoformat())}"


def _json(value: Any) -> Any:
    """Return a setting as JSON; of what is not JSON, the kind."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    return f"<{type(value).__name__}>"
