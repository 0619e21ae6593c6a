"""The public path of what is in `headwater.sdk.language.tracebacks`."""

from __future__ import annotations

from headwater.sdk.language.tracebacks import end_tracebacks_at_users_line, ended_at_users_line

__all__ = ["end_tracebacks_at_users_line", "ended_at_users_line"]
