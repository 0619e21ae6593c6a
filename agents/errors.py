"""What agents refuse. The tree of errors is drawn in `headwater.core.errors`; these hang below `CommandRejected`."""

from __future__ import annotations

from headwater.core.errors import CommandRejected, HeadwaterError


class CannotLaunch(CommandRejected):
    """A run cannot be started by this agent, now or later: its run config asks for what is not here."""


class LauncherGone(HeadwaterError):
    """The process that starts runs ended while it was needed; it is being replaced."""


class LaunchFailed(HeadwaterError):
    """No process could be started for a run just now, for want of processes, memory or files; later it may be possible.

    `reason` is what was missing.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"No process can be started here: {reason}.")


class AttemptFenced(CommandRejected):
    """This attempt does not hold its run any more: it was lost, and the run went on or ended without it."""

    def __init__(self, attempt: int, state: str, last_attempt: int) -> None:
        self.attempt, self.state, self.last_attempt = attempt, state, last_attempt
        super().__init__(f"Attempt {attempt} lost the run: it is {state}, and its last attempt is {last_attempt}.")
