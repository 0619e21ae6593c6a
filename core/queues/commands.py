"""Commands about a queue."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpenQueue:
    labels: tuple[str, ...]


@dataclass(frozen=True)
class LimitQueue:
    """Let at most so many runs with this label set be executed at once; None: as many as agents take."""

    labels: tuple[str, ...]
    limit: int | None


QueueCommand = OpenQueue | LimitQueue
