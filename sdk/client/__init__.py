"""Talking to a Headwater server from Python: `Client` in scripts and notebooks, `AsyncClient` where one awaits."""

from __future__ import annotations

from headwater.client.async_client import AsyncClient
from headwater.client.client import Client
from headwater.client.run_info import FlowRunInfo, TaskRunInfo
from headwater.utilities.secrets import Secret

__all__ = ["AsyncClient", "Client", "FlowRunInfo", "Secret", "TaskRunInfo"]
