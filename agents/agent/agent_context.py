"""What all parts of one agent share: the log as it works with it, and how it waits and speaks."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from headwater.agents.agent.agent_settings import AgentSettings
from headwater.agents.agent.outage import Outage
from headwater.agents.agent.shutdown_deadline import ShutdownDeadline
from headwater.core.operations.headwater import Headwater


@dataclass(frozen=True)
class AgentContext:
    """What the parts of one agent have in common. `now` is the log's clock, `console_log` takes the lines for people."""

    headwater: Headwater
    settings: AgentSettings
    now: Callable[[], datetime]
    outage: Outage
    deadline: ShutdownDeadline
    console_log: logging.Logger
