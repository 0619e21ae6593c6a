"""The public path of what is in `headwater.sdk.client.registration` and `headwater.sdk.client.script_registration`."""

from __future__ import annotations

from headwater.sdk.client.registration import RESULT_CHECK_PASSED, RegisteredFlow, announce, register
from headwater.sdk.client.script_registration import register_flow

__all__ = ["RESULT_CHECK_PASSED", "RegisteredFlow", "announce", "register", "register_flow"]
