"""Tasks that do what no task should: what they print, return and raise, and what they do to their process, is hostile.

`TASKS` maps a name to a task, `ENDS` to how its run must end; `HARMFUL` are those that only a process of their own stands.
"""

from __future__ import annotations

from harness.hostile import endings, processes, results, words
from harness.hostile.objects import NOT_UTF8, Hostile, HostileError, InterruptingError, Quitting, QuittingError
from harness.hostile.register import BAD, ENDS, GOOD, HARMFUL, LOST, TASKS

__all__ = [
    "BAD",
    "ENDS",
    "GOOD",
    "HARMFUL",
    "LOST",
    "NOT_UTF8",
    "TASKS",
    "Hostile",
    "HostileError",
    "InterruptingError",
    "Quitting",
    "QuittingError",
    "endings",
    "processes",
    "results",
    "words",
]
