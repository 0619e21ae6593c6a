"""Environments, in which flows written for Prefect 0.13 and 0.14 say where they run. Each is a run config and an executor today."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.environments import (
    DaskCloudProviderEnvironment,
    DaskKubernetesEnvironment,
    Environment,
    FargateTaskEnvironment,
    KubernetesJobEnvironment,
    LocalEnvironment,
    RemoteDaskEnvironment,
    RemoteEnvironment,
)

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.environments import base as base
    from headwater.environments import dask as dask
    from headwater.environments import errors as errors
    from headwater.environments import fargate as fargate
    from headwater.environments import kubernetes as kubernetes
    from headwater.environments import local as local
    from headwater.environments import remote as remote

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
