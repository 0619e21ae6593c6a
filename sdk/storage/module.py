"""Flows in importable modules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from headwater.core.errors import InvalidArgument
from headwater.sdk.storage.base import Storage, python_version
from headwater.sdk.storage.scripts import flows_in_module, pick_flow

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.results import Result


class Module(Storage):
    """A module that can be imported where the flow runs, such as `mypackage.flows`; its code then counts.

    Raises:
        InvalidArgument: `module` is not a name.

    """

    def __init__(
        self,
        module: str,
        *,
        result: Result | None = None,
        labels: Iterable[str] | None = None,
        add_default_labels: bool | None = None,
        secrets: Iterable[str] | None = None,
    ) -> None:
        super().__init__(result=result, labels=labels, add_default_labels=add_default_labels, stored_as_script=True, secrets=secrets)
        if not isinstance(module, str) or not module.strip():
            raise InvalidArgument(f"Module needs the name of a module, and {module!r} is none.", hint="Write Module('mypackage.flows').")
        self.module = module

    def check_supported(self) -> None:
        """Do nothing: agents find this code."""

    def _location_for(self, flow: Flow) -> str:  # noqa: ARG002 - all flows of a module lie in it
        return self.module

    def add_flow(self, flow: Flow) -> str:
        """Take a flow, and return the name of the module."""
        return super().add_flow(flow)

    def build(self) -> Self:
        for name in self._added:
            self.get_flow(name)
        return self

    def get_flow(self, flow_name: str) -> Flow:
        return pick_flow(flows_in_module(self.module), flow_name, f"Module {self.module!r}")

    def reference(self, flow_name: str) -> dict[str, Any]:
        return {
            "type": "Module",
            "location": self.module,
            "flow_name": flow_name,
            "stored_as_script": True,
            "sha256": None,
            "python_version": python_version(),
            "options": {},
        }

    def settings(self) -> dict[str, Any]:
        return {**super().settings(), "module": self.module}
