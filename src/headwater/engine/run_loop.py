"""The public path of what is in `headwater.sdk.engine.run_loop`."""

from __future__ import annotations

from headwater.sdk.engine.run_loop import SLEEP_SECONDS_MAX, STOP_CHECK_SECONDS, RunLoop, slugs_with_readers

__all__ = ["SLEEP_SECONDS_MAX", "STOP_CHECK_SECONDS", "RunLoop", "slugs_with_readers"]
