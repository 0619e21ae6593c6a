"""The public path of what is in `headwater.sdk.environments.fargate`."""

from __future__ import annotations

from headwater.sdk.environments.fargate import OF_A_RUN, OF_THE_DEFINITION, FargateTaskEnvironment

__all__ = ["OF_A_RUN", "OF_THE_DEFINITION", "FargateTaskEnvironment"]
