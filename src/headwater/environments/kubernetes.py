"""The public path of what is in `headwater.sdk.environments.kubernetes`."""

from __future__ import annotations

from headwater.sdk.environments.kubernetes import KubernetesJobEnvironment, no_executor_kwargs

__all__ = ["KubernetesJobEnvironment", "no_executor_kwargs"]
