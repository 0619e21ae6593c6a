"""The heartbeats of agents, and what is asked of agents and said to them, as messages on live subjects. They are not stored."""

from __future__ import annotations

import msgspec

from headwater.core.values.limits import Token


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sent on `subjects.agent_heartbeat(agent_id)` about every `interval_seconds`. `runs` counts the runs it executes now.

    `trouble` says why it can start none, and is empty where it can. `behind_seconds` is by how much its machine's clock is behind the
    log's; below zero: ahead of it.
    """

    agent_id: Token
    interval_seconds: float
    lease_seconds: float
    runs: int = 0
    trouble: str = ""
    behind_seconds: float = 0.0


class HolderProbe(msgspec.Struct, frozen=True):
    """Asked on `subjects.ask_agent(agent_id)`: whether the agent holds this attempt of the run."""

    run_id: str
    attempt: int


class HolderNotice(msgspec.Struct, frozen=True):
    """Sent on `subjects.tell_agent(agent_id)` by who wrote to the log that this attempt of the run must end."""

    run_id: str
    attempt: int


class HolderReply(msgspec.Struct, frozen=True):
    """The agent's answer; `lease_seconds` is how long its runs would wait if it died now. The rest is as in its heartbeats."""

    holds: bool
    lease_seconds: float = 10.0
    trouble: str = ""
    behind_seconds: float = 0.0


def clock_words(behind_seconds: float) -> str:
    """Return how a machine's clock differs from the log's, for people: `5.2 s behind`, `300.0 s ahead of`."""
    return f"{abs(behind_seconds):.1f} s {'behind' if behind_seconds > 0 else 'ahead of'}"


def warnings_in(said: Heartbeat | HolderReply) -> list[str]:
    """Return what is wrong with an agent by what it says of itself, in sentences for people."""
    found = [f"{said.trouble[0].upper()}{said.trouble[1:]}."] if said.trouble else []
    if said.behind_seconds:
        found.append(f"Its machine's clock is {clock_words(said.behind_seconds)} the log's.")
    return found
