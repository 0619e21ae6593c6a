"""Whether a flow's file is only being read for the flows in it, so that `flow.register()` and `flow.run()` in it must do nothing."""

from __future__ import annotations

import logging
import sys

from headwater.sdk.context.logging import get_logger
from headwater.sdk.context.values import current_values


def is_being_loaded(flow_name: str, method: str) -> bool:
    """Tell whether the call of this method of a flow comes from a file that is only being loaded; then say that it is ignored.

    A file is loaded to find its flows, and by each process that `multiprocessing` starts with spawn or forkserver.
    """
    values = current_values.get()
    if not values.get("loading_flow") and not _prepares_a_child():
        return False
    # Where a run loads its flow, no user asked for it to be registered, and the line would be in every run's log.
    level = logging.DEBUG if values.get("flow_run_id") else logging.WARNING
    get_logger().log(
        level,
        "flow.%s() of flow %r was ignored, since its file is only being loaded; put it below `if __name__ == '__main__':`.",
        method,
        flow_name,
    )
    return True


def _prepares_a_child() -> bool:
    """Tell whether `multiprocessing` has just started this process, and executes the main script in it for its functions."""
    process = sys.modules.get("multiprocessing.process")
    return process is not None and bool(getattr(process.current_process(), "_inheriting", False))
