"""Run configs: with which environment and labels a flow's runs are started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.run_configs import DockerRun, ECSRun, KubernetesRun, LocalRun, RunConfig, UniversalRun, VertexRun, run_config_from

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.run_configs import arguments as arguments
    from headwater.run_configs import base as base
    from headwater.run_configs import docker as docker
    from headwater.run_configs import documents as documents
    from headwater.run_configs import ecs as ecs
    from headwater.run_configs import errors as errors
    from headwater.run_configs import kubernetes as kubernetes
    from headwater.run_configs import local as local
    from headwater.run_configs import reading as reading
    from headwater.run_configs import vertex as vertex

__all__ = ["DockerRun", "ECSRun", "KubernetesRun", "LocalRun", "RunConfig", "UniversalRun", "VertexRun", "run_config_from"]
