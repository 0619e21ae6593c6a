"""Branches: `case`, `switch`, `ifelse`, `merge`, and a task that filters lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headwater.sdk.language.conditional import ifelse, merge, switch
from headwater.sdk.language.filter import FilterTask
from headwater.tasks.control_flow.case import case

if TYPE_CHECKING:  # at run time each is imported when it is first used
    from headwater.tasks.control_flow import conditional as conditional
    from headwater.tasks.control_flow import filter as filter  # noqa: A004 - the module's name

__all__ = ["FilterTask", "case", "ifelse", "merge", "switch"]
