"""Renaming a run as a step of a flow."""

from __future__ import annotations

from typing import Any

from headwater.sdk.language.decorators import defaults_from_attrs, task
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.task import Task
from headwater.sdk.task_library.flow_runs.flow_run_cancel import run_meant


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
    from headwater.sdk.backend.connection import shared_client

    return shared_client().set_flow_run_name(run_meant(flow_run_id), name)
