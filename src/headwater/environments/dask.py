"""The public path of what is in `headwater.sdk.environments.dask`."""

from __future__ import annotations

from headwater.sdk.environments.dask import AdjustedCluster, DaskCloudProviderEnvironment, DaskKubernetesEnvironment, RemoteDaskEnvironment

__all__ = ["AdjustedCluster", "DaskCloudProviderEnvironment", "DaskKubernetesEnvironment", "RemoteDaskEnvironment"]
