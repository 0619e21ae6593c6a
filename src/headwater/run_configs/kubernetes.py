"""The public path of what is in `headwater.sdk.run_configs.kubernetes`."""

from __future__ import annotations

from headwater.sdk.run_configs.kubernetes import PULL_POLICIES, KubernetesRun

__all__ = ["PULL_POLICIES", "KubernetesRun"]
