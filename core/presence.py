"""What agents say of themselves on live subjects. Nothing of it is stored: presence is heard, not recorded."""

from __future__ import annotations

import msgspec

from headwater.core.limits import Token


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sent on `subjects.agent_heartbeat(agent_id)` about every `interval_seconds`. `runs` counts the runs it executes now."""

    agent_id: Token
    interval_seconds: float
    lease_seconds: float
    runs: int = 0


class HoldsQuestion(msgspec.Struct, frozen=True):
    """Asked on `subjects.ask_agent(agent_id)`: whether the agent holds this attempt of the run."""

    run_id: str
    attempt: int


class HoldsAnswer(msgspec.Struct, frozen=True):
    """The agent's answer; `lease_seconds` is how long its runs would wait if it died now."""

    holds: bool
    lease_seconds: float = 10.0
