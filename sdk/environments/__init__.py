"""Environments, in which flows written for Prefect 0.13 and 0.14 say where they run. Each is a run config and an executor today."""

from __future__ import annotations

from headwater.sdk.environments.base import Environment
from headwater.sdk.environments.dask import DaskCloudProviderEnvironment, DaskKubernetesEnvironment, RemoteDaskEnvironment
from headwater.sdk.environments.fargate import FargateTaskEnvironment
from headwater.sdk.environments.kubernetes import KubernetesJobEnvironment
from headwater.sdk.environments.local import LocalEnvironment
from headwater.sdk.environments.remote import RemoteEnvironment

__all__ = [
    "DaskCloudProviderEnvironment",
    "DaskKubernetesEnvironment",
    "Environment",
    "FargateTaskEnvironment",
    "KubernetesJobEnvironment",
    "LocalEnvironment",
    "RemoteDaskEnvironment",
    "RemoteEnvironment",
]
