"""The public path of what is in `headwater.sdk.executors.base`."""

from __future__ import annotations

from headwater.sdk.executors.base import IN_FLIGHT_MAX, Executor, check_number_of_workers, values_of

__all__ = ["IN_FLIGHT_MAX", "Executor", "check_number_of_workers", "values_of"]
