"""The public path of what is in `headwater.sdk.run_configs.docker`."""

from __future__ import annotations

from headwater.sdk.run_configs.docker import DockerRun

__all__ = ["DockerRun"]
