"""Executors: where the code of a flow's tasks is executed."""

from __future__ import annotations

from headwater.executors.base import Executor
from headwater.executors.dask import DaskExecutor
from headwater.executors.local import LocalExecutor
from headwater.executors.local_dask import LocalDaskExecutor
from headwater.executors.processes import ProcessExecutor
from headwater.executors.threads import ThreadExecutor

__all__ = ["DaskExecutor", "Executor", "LocalDaskExecutor", "LocalExecutor", "ProcessExecutor", "ThreadExecutor"]
