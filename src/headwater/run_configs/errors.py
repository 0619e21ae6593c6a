"""The public path of what is in `headwater.sdk.run_configs.errors`."""

from __future__ import annotations

from headwater.sdk.run_configs.errors import InvalidRunConfig, NoAgentForRunConfig

__all__ = ["InvalidRunConfig", "NoAgentForRunConfig"]
