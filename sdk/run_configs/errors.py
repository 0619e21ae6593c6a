"""What is wrong with a run config.

InvalidRunConfig            its arguments contradict each other, or have the wrong form
NoAgentForRunConfig         no agent runs flows on its platform yet
"""

from __future__ import annotations

from headwater.core.errors import InvalidArgument


class InvalidRunConfig(InvalidArgument, ValueError):
    """An argument of a run config has the wrong form, or contradicts another."""


class NoAgentForRunConfig(InvalidArgument):
    """No agent runs flows on this platform yet, so a run would wait for ever."""

    def __init__(self, run_config: str, platform: str) -> None:
        self.run_config, self.platform = run_config, platform
        super().__init__(
            f"A {run_config} needs an agent that runs flows on {platform}, and Headwater has none yet: its runs would wait for ever.",
            hint="Write UniversalRun(env=..., labels=...) instead, and start `headwater agent local start` with these labels where the "
            "flow's packages are installed, in a container too. flow.run() works with any run config.",
        )
