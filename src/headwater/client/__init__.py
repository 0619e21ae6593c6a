"""Talking to a Headwater server from Python: `Client` in scripts and notebooks, `AsyncClient` where one awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.client import AsyncClient, Client, FlowRunInfo, Secret, TaskRunInfo

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.client import async_client as async_client
    from headwater.client import background as background
    from headwater.client import client as client
    from headwater.client import flow_metadata as flow_metadata
    from headwater.client import graphql_requests as graphql_requests
    from headwater.client import identity as identity
    from headwater.client import registered_names as registered_names
    from headwater.client import registration as registration
    from headwater.client import run_info as run_info
    from headwater.client import run_logs as run_logs

__all__ = ["AsyncClient", "Client", "FlowRunInfo", "Secret", "TaskRunInfo"]
