"""The local agent, which executes runs as processes of its own machine: `headwater agent local start`.

Its names are imported when they are used: the process that starts runs imports modules of this folder, and none of the agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headwater.agents.local.local_agent import LocalAgent as LocalAgent
    from headwater.agents.local.local_agent import run_agent_for_flow as run_agent_for_flow

__all__ = ["LocalAgent", "run_agent_for_flow"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name in __all__:
            from headwater.agents.local import local_agent

            return getattr(local_agent, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
