"""Runs on this machine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from headwater.core.program.user_paths import user_path
from headwater.sdk.run_configs.arguments import Variables
from headwater.sdk.run_configs.base import RunConfig


class LocalRun(RunConfig):
    """Runs in processes of a local agent, in `working_dir` if it is given (made absolute here)."""

    def __init__(
        self,
        *,
        env: Variables | None = None,
        working_dir: str | Path | None = None,
        labels: Iterable[str] | None = None,
    ) -> None:
        super().__init__(env=env, labels=labels)
        self.working_dir = str(user_path(working_dir).absolute()) if working_dir is not None else None
