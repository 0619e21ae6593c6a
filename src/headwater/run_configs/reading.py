"""The public path of what is in `headwater.sdk.run_configs.reading`."""

from __future__ import annotations

from headwater.sdk.run_configs.reading import run_config_from

__all__ = ["run_config_from"]
