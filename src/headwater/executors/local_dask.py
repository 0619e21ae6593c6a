"""The public path of what is in `headwater.sdk.executors.local_dask`."""

from __future__ import annotations

from headwater.sdk.executors.local_dask import LocalDaskExecutor

__all__ = ["LocalDaskExecutor"]
