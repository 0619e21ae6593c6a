"""What all kinds of storage have in common."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable
from logging import Logger
from typing import TYPE_CHECKING, Any, Self

from headwater.core.errors import InvalidArgument
from headwater.core.labels import label_set
from headwater.utilities.configuration import config
from headwater.utilities.logging import get_logger

if TYPE_CHECKING:
    from headwater.engine.results import Result
    from headwater.graph.flow import Flow


def python_version() -> str:
    """Return the minor version of Python, such as `3.11`: byte code is the same within it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"


class Storage(ABC):
    """Where flows' code lies. `flows` maps the names of those added to their locations.

    `labels` are added to each flow stored here, and with `add_default_labels` those that the kind of storage brings;
    it is on unless HEADWATER__FLOWS__DEFAULTS__STORAGE__ADD_DEFAULT_LABELS says `false`. `secrets` are the names of secrets that
    the flows use; they are found where the flows run, as all are.
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
        self._stored: set[str] = set()

    @property
    def default_labels(self) -> list[str]:
        """The labels that this kind of storage brings."""
        return []

    @property
    def labels(self) -> list[str]:
        """The labels of every flow stored here, sorted."""
        return sorted({*self._labels, *(self.default_labels if self.add_default_labels else ())})

    def add_flow(self, flow: Flow) -> str:
        """Take a flow, in the place of another of this name that is stored, and return where its code will lie after `build`.

        Raises:
            InvalidArgument: another flow of this name was added, and is not stored yet: it never would be.

        """
        known = self._added.get(flow.name)
        if known is not None and known is not flow and flow.name not in self._stored:
            raise InvalidArgument(
                f"Another flow with the name {flow.name!r} was added to this storage, and is not stored yet.", hint="Rename one of the two."
            )
        self._added[flow.name] = flow
        self._stored.discard(flow.name)
        self.flows[flow.name] = self._location_for(flow)
        return self.flows[flow.name]

    @abstractmethod
    def _location_for(self, flow: Flow) -> str: ...

    @abstractmethod
    def build(self) -> Self:
        """Store the code of the flows that were added.

        Raises:
            FlowNotStorable: one of them cannot be pickled.
            FlowCodeMissing: a script or module is not there.

        """

    @abstractmethod
    def get_flow(self, flow_name: str) -> Flow:
        """Return the flow of this name from where its code lies.

        Raises:
            StorageError: it cannot be had; the kind of error says why.

        """

    @abstractmethod
    def reference(self, flow_name: str) -> dict[str, Any]:
        """Return what somebody else needs to find the flow's code again, and to tell whether it is the same.

        Keys: `type`, `location`, `flow_name`, `stored_as_script`, `sha256`, `python_version`, `options`. Never code.
        """

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
        return {name: value for name, value in self.__dict__.items() if name != "_stored"} | {"_added": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._stored = set()

    def __repr__(self) -> str:
        return f"<Storage: {type(self).__name__}>"
