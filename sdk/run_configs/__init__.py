"""Run configs: with which environment and labels a flow's runs are started."""

from __future__ import annotations

from headwater.run_configs.base import RunConfig, UniversalRun, run_config_from
from headwater.run_configs.local import LocalRun

__all__ = ["LocalRun", "RunConfig", "UniversalRun", "run_config_from"]
