"""The engine: states, signals, and how a flow's tasks are run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.engine import cache_validators as cache_validators
    from headwater.engine import flow_runner as flow_runner
    from headwater.engine import result_handlers as result_handlers
    from headwater.engine import results as results
    from headwater.engine import runner as runner
    from headwater.engine import serializers as serializers
    from headwater.engine import signals as signals
    from headwater.engine import state as state
    from headwater.engine import task_runner as task_runner
