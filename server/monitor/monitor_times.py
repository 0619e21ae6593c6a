"""How long the run monitor waits before it looks at what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class MonitorTimes:
    """Times of the run monitor, in seconds.

    `lease`: that of an agent that sent no heartbeat yet; each heartbeat says the agent's own. `probe_grace`: how long after a whole lease
    without a heartbeat an agent is asked, for the last time, whether it lives. `wake_up`: within so long its creator, or the holder of its
    last attempt, has seen to it that a run is woken. `slot`: within so long the holder of a run has freed its slot. `claim`: within so
    long the one who took a slot for a run claims the run, or died. `retry`: after so long what failed is tried again.
    """

    lease: float = 10.0
    probe_grace: float = 0.5
    wake_up: float = 3.0
    slot: float = 0.3
    claim: float = 5.0
    retry: float = 2.0
