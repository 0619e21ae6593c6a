"""The public path of what is in `headwater.sdk.client.schedule_calls`."""

from __future__ import annotations

from headwater.sdk.client.schedule_calls import AsyncScheduleCalls, ScheduleCalls

__all__ = ["AsyncScheduleCalls", "ScheduleCalls"]
