"""Why a stored flow cannot be had. These become the reasons of failed runs, so each says what to do.

StorageError
├── FlowNotStorable         it cannot be pickled
├── FlowCodeMissing         its file or module is gone
├── FlowCodeChanged         its file is not the one that was registered
├── PythonVersionDiffers    it was stored by another minor version of Python
├── FlowNotLoadable         its file does not import, or needs a module that is not here
├── FlowNotInCode           the file or module holds no flow of this name
├── FlowDiffersFromRegistered   its tasks are not those that were registered
└── UnknownStorage          nothing here reads this kind of storage
"""

from __future__ import annotations

from headwater.core.errors import HeadwaterError


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


def _listed(slugs: list[str], most: int = 5) -> str:
    shown = ", ".join(slugs[:most])
    return f"{shown} and {len(slugs) - most} more" if len(slugs) > most else shown
