"""What all kinds of storage have in common."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from logging import Logger
from typing import TYPE_CHECKING, Any, Self, TypedDict

from headwater.core.errors import InvalidArgument
from headwater.core.values.labels import label_set
from headwater.sdk.context.configuration import config
from headwater.sdk.context.logging import get_logger
from headwater.sdk.storage.errors import InvalidStorage, StorageNotSupported

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.results import Result


def python_version() -> str:
    """Return the minor version of Python, such as `3.11`: byte code is the same within it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


class StorageOptions(TypedDict, total=False):
    """The arguments that all kinds of storage take."""

    result: Result | None
    secrets: Iterable[str] | None
    labels: Iterable[str] | None
    add_default_labels: bool | None


class Storage(ABC):
    """Where flows' code lies. `flows` maps the names of those added to their locations.

    A storage of your own derives from this and defines `add_flow` and `get_flow`, and `build` where it stores flows only then. Its flows
    run with `flow.run()`. They cannot be registered yet, since an agent would not find its class.

    Args:
        result: keeps the results of tasks where neither task nor flow has a result.
        labels: labels that are added to each flow stored here.
        add_default_labels: whether the labels that the kind of storage brings are added too; on by default, unless
            HEADWATER__FLOWS__DEFAULTS__STORAGE__ADD_DEFAULT_LABELS says `false`.
        stored_as_script: whether the code is a file of source that each run executes, and not a pickled flow.
        secrets: names of secrets that the flows use; they are found where the flows run, as all are.

    Raises:
        InvalidArgument: `labels` or `secrets` is one text.

    """

    secrets: list[str] = []
    """Of storages that were pickled when there were none."""

    def __init__(
        self,
        *,
        result: Result | None = None,
        labels: Iterable[str] | None = None,
        add_default_labels: bool | None = None,
        stored_as_script: bool = False,
        secrets: Iterable[str] | None = None,
    ) -> None:
        if isinstance(labels, str):
            raise InvalidArgument(f"labels={labels!r} is one text.", hint=f"Write labels=[{labels!r}].")
        if isinstance(secrets, str):
            raise InvalidArgument(f"secrets={secrets!r} is one text.", hint=f"Write secrets=[{secrets!r}].")
        self.result = result
        self.secrets = list(secrets or ())
        self._labels = label_set(labels or ())
        if add_default_labels is None:
            add_default_labels = bool(config["flows"]["defaults"]["storage"]["add_default_labels"])
        self.add_default_labels = add_default_labels
        self.stored_as_script = stored_as_script
        self.flows: dict[str, str] = {}
        self._added: dict[str, Flow] = {}

    @property
    def default_labels(self) -> list[str]:
        """The labels that this kind of storage brings."""
        return []

    @property
    def labels(self) -> list[str]:
        """The labels of every flow stored here, sorted."""
        return sorted({*self._labels, *(self.default_labels if self.add_default_labels else ())})

    @property
    def _flows(self) -> dict[str, Flow]:
        """The flows that were added, under the name by which storages that were written for Prefect know them."""
        return self._added

    def check_supported(self) -> None:
        """Do nothing if flows can be registered with this kind of storage.

        Raises:
            StorageNotSupported: they cannot yet; the hint says what works instead.

        """
        raise StorageNotSupported(
            type(self).__name__,
            "a storage of your own",
            "Leave storage out, or give Local() or Module(...), where the agent finds the files.",
        )

    @abstractmethod
    def add_flow(self, flow: Flow) -> str:
        """Take a flow, and return where its code will lie after `build`. `super().add_flow(flow)` remembers the flow.

        Raises:
            InvalidStorage: a flow of this name is in the storage already.

        """
        if flow.name in self.flows:
            raise InvalidStorage(
                f"Name conflict: a flow named {flow.name!r} is already in this {type(self).__name__} storage.",
                hint="Give the flow another name, or a storage of its own.",
            )
        self._added[flow.name] = flow
        self.flows[flow.name] = self._location_for(flow)
        return self.flows[flow.name]

    def put_flow(self, flow: Flow) -> str:
        """Take a flow, in the place of another of this name, and return where its code will lie: what registering again does."""
        self.flows.pop(flow.name, None)
        return self.add_flow(flow)

    def _location_for(self, flow: Flow) -> str:
        return flow.name

    def build(self) -> Self:
        """Store the code of the flows that were added, where that was not done by `add_flow`. Return this storage.

        Raises:
            FlowNotStorable: one of them cannot be pickled.
            FlowCodeMissing: a script or module is not there.

        """
        return self

    def get_flow(self, flow_name: str) -> Flow:
        """Return the flow of this name from where its code lies.

        Raises:
            StorageError: it cannot be had; the kind of error says why.
            NotImplementedError: the class does not define it.

        """
        raise NotImplementedError(f"{type(self).__name__} does not define get_flow(flow_name), which would return flow {flow_name!r}.")

    def reference(self, flow_name: str) -> dict[str, Any]:
        """Return what another process needs to find the flow's code again, and to tell whether it is the same.

        Keys: `type`, `location`, `flow_name`, `stored_as_script`, `sha256`, `python_version`, `options`. Never code.
        """
        return {
            "type": type(self).__name__,
            "location": self.flows.get(flow_name, ""),
            "flow_name": flow_name,
            "stored_as_script": self.stored_as_script,
            "sha256": None,
            "python_version": python_version(),
            "options": {},
        }

    @property
    def name(self) -> str:
        """The kind of storage."""
        return type(self).__name__

    @property
    def logger(self) -> Logger:
        """The logger of this kind of storage."""
        return get_logger(type(self).__name__)

    def serialize(self) -> dict[str, Any]:
        """Return all about the storage and the flows in it as JSON values: never code."""
        return {**self.settings(), "flows": dict(self.flows), "labels": self.labels, "secrets": list(self.secrets)}

    def settings(self) -> dict[str, Any]:
        """Return what was chosen about the storage, apart from what differs each time a flow is stored."""
        return {"type": type(self).__name__, "stored_as_script": self.stored_as_script}

    def __contains__(self, flow_name: object) -> bool:
        return flow_name in self.flows

    def __getstate__(self) -> dict[str, Any]:
        # The flows hold their storage; it need not hold them as well.
        return {**self.__dict__, "_added": {}}

    def __repr__(self) -> str:
        return f"<Storage: {type(self).__name__}>"
