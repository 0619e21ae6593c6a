"""The settings of an agent: its name, its labels, and its times."""

from __future__ import annotations

from dataclasses import dataclass, field

from headwater.core.errors import InvalidArgument
from headwater.core.values.identifiers import new_id


@dataclass(frozen=True, kw_only=True)
class AgentSettings:
    """What an agent is.

    `lease_seconds`: how long after its death its runs wait at most. `grace_seconds`: from SIGTERM to SIGKILL. `attempts_max`: how many lost
    attempts fail a run here; None leaves that to the run. `away_seconds`: how long an agent that has runs and was told to stop waits
    for a log that takes nothing.
    """

    name: str
    kind: str
    labels: tuple[str, ...] = ()
    limit: int | None = None
    lease_seconds: float = 10.0
    grace_seconds: float = 10.0
    attempts_max: int | None = None
    away_seconds: float = 30.0
    agent_id: str = field(default_factory=new_id)

    def __post_init__(self) -> None:
        if self.lease_seconds < 1:
            raise InvalidArgument(f"An agent's lease must be at least 1 second, not {self.lease_seconds:g}.")
