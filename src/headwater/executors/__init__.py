"""Executors: where the code of a flow's tasks is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.executors import DaskExecutor, Executor, LocalDaskExecutor, LocalExecutor, ProcessExecutor, ThreadExecutor

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.executors import base as base
    from headwater.executors import configured as configured
    from headwater.executors import dask as dask
    from headwater.executors import dask_calls as dask_calls
    from headwater.executors import dask_cluster as dask_cluster
    from headwater.executors import line_pipe as line_pipe
    from headwater.executors import local as local
    from headwater.executors import local_dask as local_dask
    from headwater.executors import log_lines as log_lines
    from headwater.executors import main_program as main_program
    from headwater.executors import processes as processes
    from headwater.executors import threads as threads
    from headwater.executors import transport as transport

__all__ = ["DaskExecutor", "Executor", "LocalDaskExecutor", "LocalExecutor", "ProcessExecutor", "ThreadExecutor"]
