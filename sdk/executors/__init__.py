"""Executors: where the code of a flow's tasks is executed."""

from __future__ import annotations

from headwater.sdk.executors.base import Executor
from headwater.sdk.executors.dask import DaskExecutor
from headwater.sdk.executors.local import LocalExecutor
from headwater.sdk.executors.local_dask import LocalDaskExecutor
from headwater.sdk.executors.processes import ProcessExecutor
from headwater.sdk.executors.threads import ThreadExecutor

__all__ = ["DaskExecutor", "Executor", "LocalDaskExecutor", "LocalExecutor", "ProcessExecutor", "ThreadExecutor"]
