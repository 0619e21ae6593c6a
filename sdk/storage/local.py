"""Flows as files on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from headwater.core.errors import InvalidArgument
from headwater.core.program.user_paths import user_path
from headwater.sdk.context.configuration import data_home, write_in_home
from headwater.sdk.context.files import file_name
from headwater.sdk.language.user_code import own_folders
from headwater.sdk.storage.base import Storage, python_version
from headwater.sdk.storage.errors import FlowCodeMissing, FlowNotInStorage
from headwater.sdk.storage.pickled import pickled, sha256_of, unpickled
from headwater.sdk.storage.scripts import flows_in_file, pick_flow

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.results import Result


class Local(Storage):
    """Files on this machine; flows stored here have its host name as a label, so that an agent here takes their runs.

    A flow is pickled to `<directory>/<flow name>/<time>`, with its code frozen as it was; `directory` is `flows` in
    Headwater's home by default, and `path` another file. With `stored_as_script`, `path` is the script itself, and
    each run executes what it says then. With `validate=False`, `directory` is a path of another machine and stays as it is written.

    Raises:
        InvalidArgument: `stored_as_script` without a path.

    """

    home: Path | None = None
    """Headwater's home, where flows are registered with the server of another one than this process's."""

    def __init__(
        self,
        directory: str | Path | None = None,
        validate: bool = True,
        path: str | Path | None = None,
        stored_as_script: bool = False,
        *,
        result: Result | None = None,
        labels: Iterable[str] | None = None,
        add_default_labels: bool | None = None,
        secrets: Iterable[str] | None = None,
    ) -> None:
        super().__init__(
            result=result, labels=labels, add_default_labels=add_default_labels, stored_as_script=stored_as_script, secrets=secrets
        )
        if stored_as_script and path is None:
            raise InvalidArgument("Local(stored_as_script=True) needs to know the script.", hint="Add path=__file__.")
        self.directory = None if directory is None else str(user_path(directory).absolute() if validate else directory)
        self.path = str(user_path(path).absolute()) if path is not None else None
        self._hashes: dict[str, str] = {}
        self._import_paths: dict[str, list[str]] = {}

    @property
    def default_labels(self) -> list[str]:
        return [socket.gethostname()]

    def check_supported(self) -> None:
        """Do nothing: agents find this code."""

    def _location_for(self, flow: Flow) -> str:
        if self.path is not None:
            return self.path
        folder = Path(self.directory) if self.directory is not None else (self.home or data_home()) / "flows"
        return str(folder / file_name(flow.name) / file_name(datetime.now(UTC).isoformat()))

    def add_flow(self, flow: Flow) -> str:
        """Write a flow to its file, and return the file's path. `build` writes it again, as it is then.

        Raises:
            InvalidStorage: a flow of this name is in the storage already.
            FlowNotStorable: the flow cannot be pickled.

        """
        location = super().add_flow(flow)
        self._store(flow)
        return location

    def put_flow(self, flow: Flow) -> str:
        """Take a flow, in the place of another of this name, and return where `build` will write it."""
        self.flows.pop(flow.name, None)
        return super().add_flow(flow)

    def build(self) -> Self:
        # Each flow once: files that were registered must stay as they are when another flow is added to this storage.
        added, self._added = self._added, {}
        for flow in added.values():
            self._store(flow)
        return self

    def _store(self, flow: Flow) -> None:
        location = Path(self.flows[flow.name])
        if self.stored_as_script:
            if not location.is_file():
                raise FlowCodeMissing(flow.name, str(location))
            return
        data = pickled(flow)
        write_in_home(location, data)
        self._hashes[flow.name] = sha256_of(data)
        self._import_paths[flow.name] = own_folders(flow)

    def get_flow(self, flow_name: str) -> Flow:
        """Return the flow of this name, read from its file. Load only what you trust: it runs code.

        Raises:
            FlowNotInStorage: the storage does not know the name, and has no path.
            FlowCodeMissing: there is no file.
            StorageError: what is there cannot be loaded; the kind of error says why.

        """
        location = self.flows.get(flow_name) or self.path
        if location is None:
            raise FlowNotInStorage(type(self).__name__, flow_name, self.flows)
        if not Path(location).is_file():
            raise FlowCodeMissing(flow_name, location)
        if self.stored_as_script:
            return pick_flow(flows_in_file(location), flow_name, location)
        return unpickled(Path(location).read_bytes(), flow_name, location)

    def reference(self, flow_name: str) -> dict[str, Any]:
        # Modules beside the flow's own are not in the pickle; on this machine they can be found where it found them.
        folders = self._import_paths.get(flow_name)
        return {
            "type": "Local",
            "location": self.flows.get(flow_name) or self.path or "",
            "flow_name": flow_name,
            "stored_as_script": self.stored_as_script,
            "sha256": self._hashes.get(flow_name),
            "python_version": python_version(),
            "options": {"import_paths": folders} if folders else {},
        }

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "directory": self.directory, "path": self.path}
