"""Cancelling a run as a step of a flow."""

from __future__ import annotations

from typing import Any

from headwater.graph.task import Task
from headwater.utilities.context import context
from headwater.utilities.tasks import defaults_from_attrs, task


@task
def cancel_flow_run(flow_run_id: str | None = None) -> bool:
    """Ask that a run ends (this run, if none is named); return whether this asked first."""
    return _cancel(flow_run_id)


class CancelFlowRun(Task):
    """Asks that the run `flow_run_id_to_cancel` ends (this run, if none is named). Its result is whether this asked first."""

    def __init__(self, flow_run_id_to_cancel: str | None = None, **settings: Any) -> None:
        self.flow_run_id_to_cancel = flow_run_id_to_cancel
        super().__init__(**settings)

    @defaults_from_attrs("flow_run_id_to_cancel")
    def run(self, flow_run_id_to_cancel: str | None = None) -> bool:
        return _cancel(flow_run_id_to_cancel)


def _cancel(flow_run_id: str | None) -> bool:
    from headwater.backend.connection import shared_client

    return shared_client().cancel_flow_run(flow_run_id or context.flow_run_id, "Cancelled by a task.")
