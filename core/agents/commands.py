"""Commands about an agent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RegisterAgent:
    agent_id: str
    name: str
    kind: str
    labels: tuple[str, ...] = ()
    hostname: str = ""
    pid: int = 0
    version: str = ""
    limit: int | None = None


@dataclass(frozen=True)
class StopAgent:
    reason: str = ""


@dataclass(frozen=True)
class LoseAgent:
    reason: str = ""


AgentCommand = RegisterAgent | StopAgent | LoseAgent
