"""The public path of what is in `headwater.sdk.executors.dask_cluster`."""

from __future__ import annotations

from headwater.sdk.executors.dask_cluster import WorkerWatch

__all__ = ["WorkerWatch"]
