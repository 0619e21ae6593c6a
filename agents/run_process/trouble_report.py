"""How the process of a run tells its agent that the log takes nothing: no other program can, while the run has not ended."""

from __future__ import annotations

import os
from contextlib import suppress

import msgspec

from headwater.agents.launcher import AttemptReport
from headwater.agents.launcher_protocol import REPORT_DESCRIPTOR
from headwater.agents.log_trouble import log_trouble


class TroubleReport:
    """Reports each beginning and each end of a time in which the log takes nothing."""

    def __init__(self) -> None:
        self._told = False

    def failed(self, error: Exception) -> None:
        if not self._told:
            self._told = True
            _report(log_trouble(error))

    def recovered(self) -> None:
        if self._told:
            self._told = False
            _report("")


def _report(reason: str) -> None:
    with suppress(OSError):  # the agent is gone: its lifeline tells, too
        os.write(REPORT_DESCRIPTOR, msgspec.json.encode(AttemptReport(log_trouble=reason)) + b"\n")
