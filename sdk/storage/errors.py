"""Why a stored flow cannot be had. These become the reasons of failed runs, so each says what to do.

StorageError
├── FlowNotStorable         it cannot be pickled
├── FlowCodeMissing         its file or module is gone
├── FlowCodeChanged         its file is not the one that was registered
├── PythonVersionDiffers    it was stored by another minor version of Python
├── FlowNotLoadable         its file does not import, or needs a module that is not here
├── FlowNotInCode           the file or module holds no flow of this name
│   └── NotAFlow            something else lies there
├── FlowNotInStorage        no flow of this name was added to the storage
├── FlowDiffersFromRegistered   its tasks are not those that were registered
├── UnknownStorage          nothing here reads this kind of storage
└── StorageNotSupported     flows cannot be kept in this kind of storage yet

InvalidStorage and UnknownHttpMethod are about the arguments of a storage.
"""

from __future__ import annotations

from collections.abc import Iterable

from headwater.core.errors import HeadwaterError, InvalidArgument


class StorageError(HeadwaterError, ValueError):
    """A flow's code cannot be stored or had."""


class FlowNotStorable(StorageError):
    """The flow cannot be pickled; the message names the task that is to blame, where one is."""


class FlowCodeMissing(StorageError):
    """The flow's file or module is gone."""

    def __init__(self, flow_name: str, location: str, *, what: str = "file") -> None:
        self.flow_name, self.location = flow_name, location
        super().__init__(
            f"The {what} with the code of flow {flow_name!r} is not there: {location}.",
            hint=f"Put the {what} back, or register the flow again; on another machine, run its agent where the {what} is.",
        )


class FlowCodeChanged(StorageError):
    """The flow's file is not the one that was registered."""

    def __init__(self, flow_name: str, location: str, *, expected: str, found: str) -> None:
        self.flow_name, self.location, self.expected, self.found = flow_name, location, expected, found
        super().__init__(
            f"The stored code of flow {flow_name!r} was changed after it was registered: {location} has the SHA-256 "
            f"{found[:12]}…, and {expected[:12]}… was registered.",
            hint="Register the flow again, or restore the file.",
        )


class PythonVersionDiffers(StorageError):
    """The flow was stored by another minor version of Python, whose byte code this one cannot run."""

    def __init__(self, flow_name: str, *, stored: str, running: str) -> None:
        self.flow_name, self.stored, self.running = flow_name, stored, running
        super().__init__(
            f"Flow {flow_name!r} was stored by Python {stored}, and this is Python {running}.",
            hint=f"Start the agent with Python {stored}, or register the flow with Python {running}.",
        )


class FlowNotLoadable(StorageError):
    """The flow's file does not import, or needs a module that is not here. The cause is the error as it was raised."""


class FlowNotInCode(StorageError):
    """The file or module holds no flow of this name, or more than one."""


class NotAFlow(FlowNotInCode, TypeError):
    """What lies where a flow is looked for is something else."""


class FlowNotInStorage(StorageError):
    """No flow of this name was added to the storage."""

    def __init__(self, storage: str, flow_name: str, names: Iterable[str]) -> None:
        self.storage, self.flow_name = storage, flow_name
        super().__init__(
            f"Flow {flow_name!r} is not there: this {storage} storage holds {_listed(sorted(names)) or 'no flows'}.",
            hint="Add it: storage.add_flow(flow).",
        )


class FlowDiffersFromRegistered(StorageError):
    """The flow's tasks are not those that were registered."""

    def __init__(self, flow_name: str, *, missing: list[str], unknown: list[str]) -> None:
        self.flow_name, self.missing, self.unknown = flow_name, missing, unknown
        parts = []
        if missing:
            parts.append(f"registered but no longer there: {_listed(missing)}")
        if unknown:
            parts.append(f"there but not registered: {_listed(unknown)}")
        super().__init__(
            f"The code of flow {flow_name!r} was changed without registering it again; tasks {'; '.join(parts)}.",
            hint="Register the flow again.",
        )


class UnknownStorage(StorageError):
    """Nothing here reads this kind of storage."""


class StorageNotSupported(StorageError):
    """Flows cannot be kept in this kind of storage yet."""

    def __init__(self, storage: str, place: str, instead: str) -> None:
        self.storage, self.place = storage, place
        super().__init__(
            f"The code of flows cannot be kept in {place} yet, which {storage} storage stands for.",
            hint=f"{instead} flow.run() works with any storage.",
        )


class InvalidStorage(InvalidArgument, ValueError):
    """An argument of a storage has the wrong form, or contradicts another."""


class UnknownHttpMethod(InvalidStorage, RuntimeError):
    """A webhook is called by a method that HTTP does not have."""


def _listed(slugs: list[str], most: int = 5) -> str:
    shown = ", ".join(slugs[:most])
    return f"{shown} and {len(slugs) - most} more" if len(slugs) > most else shown
