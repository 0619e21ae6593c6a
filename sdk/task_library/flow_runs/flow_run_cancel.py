"""Cancelling a run as a step of a flow."""

from __future__ import annotations

from typing import Any

from headwater.core.errors import InvalidArgument
from headwater.sdk.context.context import context
from headwater.sdk.language.decorators import defaults_from_attrs, task
from headwater.sdk.language.task import Task


@task
def cancel_flow_run(flow_run_id: str | None = None) -> bool:
    """Ask that a run ends (this run, if none is named); return whether this asked first."""
    return _cancel(flow_run_id)


class CancelFlowRun(Task):
    """Asks that the run `flow_run_id` ends (this run, if none is named). Its result is whether this asked first.

    `flow_run_id_to_cancel` is its name in the first versions of Prefect.
    """

    def __init__(self, flow_run_id: str | None = None, *, flow_run_id_to_cancel: str | None = None, **settings: Any) -> None:
        self.flow_run_id = flow_run_id or flow_run_id_to_cancel
        super().__init__(**settings)

    @defaults_from_attrs("flow_run_id")
    def run(self, flow_run_id: str | None = None) -> bool:
        return _cancel(flow_run_id)


def _cancel(flow_run_id: str | None) -> bool:
    from headwater.sdk.backend.connection import shared_client

    return shared_client().cancel_flow_run(run_meant(flow_run_id), "Cancelled by a task.")


def run_meant(flow_run_id: str | None) -> str:
    """Return the id of the run that is named, or of this one.

    Raises:
        InvalidArgument: none is named, and this code is not part of a run.

    """
    meant: str | None = flow_run_id or context.get("flow_run_id")
    if meant is None:
        raise InvalidArgument("There is no flow_run_id, and no run that this is part of.", hint="Give flow_run_id the id of a run.")
    return meant
