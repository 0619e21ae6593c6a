"""Run configs: with which environment and labels a flow's runs are started."""

from __future__ import annotations

from headwater.sdk.run_configs.base import RunConfig, UniversalRun
from headwater.sdk.run_configs.docker import DockerRun
from headwater.sdk.run_configs.ecs import ECSRun
from headwater.sdk.run_configs.kubernetes import KubernetesRun
from headwater.sdk.run_configs.local import LocalRun
from headwater.sdk.run_configs.reading import run_config_from
from headwater.sdk.run_configs.vertex import VertexRun

__all__ = ["DockerRun", "ECSRun", "KubernetesRun", "LocalRun", "RunConfig", "UniversalRun", "VertexRun", "run_config_from"]
