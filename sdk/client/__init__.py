"""Talking to a Headwater server from Python: `Client` in scripts and notebooks, `AsyncClient` where one awaits."""

from __future__ import annotations

from headwater.sdk.client.async_client import AsyncClient
from headwater.sdk.client.client import Client
from headwater.sdk.client.run_info import FlowRunInfo, TaskRunInfo
from headwater.sdk.context.secrets import Secret

__all__ = ["AsyncClient", "Client", "FlowRunInfo", "Secret", "TaskRunInfo"]
