"""The public path of what is in `headwater.sdk.executors.dask_calls`."""

from __future__ import annotations

from headwater.sdk.executors.dask_calls import (
    OUTCOME_BYTES_MAX,
    RUN_BYTES_MAX,
    calls_remembered,
    is_first_execution,
    outcome_kept,
    outcome_taken,
)

__all__ = ["OUTCOME_BYTES_MAX", "RUN_BYTES_MAX", "calls_remembered", "is_first_execution", "outcome_kept", "outcome_taken"]
