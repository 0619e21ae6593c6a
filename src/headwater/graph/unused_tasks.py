"""The public path of what is in `headwater.sdk.language.unused_tasks`."""

from __future__ import annotations

from headwater.sdk.language.unused_tasks import MadeTasks, made_tasks

__all__ = ["MadeTasks", "made_tasks"]
