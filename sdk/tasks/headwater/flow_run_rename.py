"""Renaming a run as a step of a flow."""

from __future__ import annotations

from typing import Any

from headwater.graph.errors import InvalidTask
from headwater.graph.task import Task
from headwater.tasks.headwater.flow_run_cancel import run_meant
from headwater.utilities.tasks import defaults_from_attrs, task


@task
def rename_flow_run(flow_run_id: str | None = None, flow_run_name: str = "") -> bool:
    """Give a run (this run, if none is named) another name; return whether that changed it."""
    return _rename(flow_run_id, flow_run_name)


class RenameFlowRun(Task):
    """Gives the run `flow_run_id` (this run, if none is named) another name. Its result is whether that changed it."""

    def __init__(self, flow_run_id: str | None = None, flow_run_name: str | None = None, **settings: Any) -> None:
        self.flow_run_id = flow_run_id
        self.flow_run_name = flow_run_name
        super().__init__(**settings)

    @defaults_from_attrs("flow_run_id", "flow_run_name")
    def run(self, flow_run_id: str | None = None, flow_run_name: str | None = None) -> bool:
        if not flow_run_name:
            raise InvalidTask("RenameFlowRun needs the new name.", hint="Write RenameFlowRun(flow_run_name='...').")
        return _rename(flow_run_id, flow_run_name)


def _rename(flow_run_id: str | None, name: str) -> bool:
    from headwater.backend.connection import shared_client

    return shared_client().set_flow_run_name(run_meant(flow_run_id), name)
