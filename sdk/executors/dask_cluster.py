"""Whether a Dask cluster has workers left."""

from __future__ import annotations

import time
from typing import Any


class WorkerWatch:
    """Tells when a cluster has had no worker for too long."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._missed_since: float | None = None
        self.is_over = False
        """Whether the last look found that no worker is left."""

    def problem(self, client: Any) -> str | None:
        """Return why tasks of the cluster wait in vain, or None."""
        has_workers = client.status == "running" and bool(client.scheduler_info(n_workers=1)["workers"])
        self._missed_since = None if has_workers else self._missed_since or time.monotonic()
        self.is_over = self._missed_since is not None and time.monotonic() - self._missed_since >= self._seconds
        if not self.is_over:
            return None
        what = "has had no worker" if client.status == "running" else "has not answered"
        return f"The Dask cluster {what} for {self._seconds:g} s, so the task cannot be executed."
