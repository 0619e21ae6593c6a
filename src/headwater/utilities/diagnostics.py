"""The public path of what is in `headwater.sdk.language.diagnostics`."""

from __future__ import annotations

from headwater.sdk.language.diagnostics import (
    config_overrides,
    diagnostic_info,
    environment_variables,
    flow_information,
    system_information,
)

__all__ = ["config_overrides", "diagnostic_info", "environment_variables", "flow_information", "system_information"]
