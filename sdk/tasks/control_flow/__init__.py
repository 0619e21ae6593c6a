"""Branches: `case`, `switch`, `ifelse`, `merge`, and a task that filters lists."""

from __future__ import annotations

from headwater.tasks.control_flow.case import case
from headwater.tasks.control_flow.conditional import ifelse, merge, switch
from headwater.tasks.control_flow.filter import FilterTask

__all__ = ["FilterTask", "case", "ifelse", "merge", "switch"]
