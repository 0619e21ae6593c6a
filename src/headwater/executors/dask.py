"""The public path of what is in `headwater.sdk.executors.dask`."""

from __future__ import annotations

from headwater.sdk.executors.dask import IN_FLIGHT_MAX, LINES_TOPIC, LOOK_SECONDS, DaskExecutor, LocalDaskExecutor

__all__ = ["IN_FLIGHT_MAX", "LINES_TOPIC", "LOOK_SECONDS", "DaskExecutor", "LocalDaskExecutor"]
