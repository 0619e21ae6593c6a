"""What an agent tells of an attempt: to the run's process in its environment, and to the process's supervisor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from headwater.core.errors import SettingsError
from headwater.core.events import RunCreated, RunScheduled, RunSubmitted
from headwater.core.log.commit import Position
from headwater.core.program.settings import DEFAULT_NATS_URL, INTERNAL_PREFIX, KEY, NATS_URL, TRACEBACK_SOURCE
from headwater.core.runs.rules import RULES
from headwater.core.runs.state import Run

_RUN_ID = INTERNAL_PREFIX + "RUN_ID"
_ATTEMPT = INTERNAL_PREFIX + "ATTEMPT"
_SHOW_LOGS = INTERNAL_PREFIX + "SHOW_LOGS"


def mark_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which all that an attempt starts is known; nothing where the environment names no attempt."""
    mark = {name: environment.get(name, "") for name in (_RUN_ID, _ATTEMPT)}
    return mark if all(mark.values()) else {}


def attempt_actor(run_id: str, attempt: int) -> str:
    """Return the name of an attempt in the audit trail."""
    return f"run:{run_id}#{attempt}"


class RunSnapshot(msgspec.Struct, frozen=True):
    """A run as its agent knows it right after the first claim: enough to fold it again without asking the log."""

    created: RunCreated
    scheduled: RunScheduled
    submitted: RunSubmitted
    position: Position

    @classmethod
    def after_claim(cls, run: Run, position: Position) -> RunSnapshot | None:
        """Return what is known of a run just claimed for the first time; None where there is more to it than that."""
        if not run.exists or run.scheduled_for is None or run.attempt != 1 or run.task_runs or run.name != run.created.name:
            return None
        return cls(
            run.created,
            RunScheduled(run.scheduled_for, run.generation),
            RunSubmitted(run.attempt, run.agent_id, run.agent_name),
            position,
        )

    def fold(self) -> Run:
        return RULES.fold((self.created, self.scheduled, self.submitted))


@dataclass(frozen=True, kw_only=True)
class AttemptSpec:
    """Which attempt of which run to execute, and where its log is. `known` spares the supervisor a look into the log."""

    run_id: str
    attempt: int
    nats_url: str
    key: str | None = None
    show_logs: bool = False
    known: RunSnapshot | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that say this, stronger than whatever others say."""
        variables = {
            NATS_URL.variable: self.nats_url,
            _RUN_ID: self.run_id,
            _ATTEMPT: str(self.attempt),
            _SHOW_LOGS: "1" if self.show_logs else "",
        }
        # Code of the run talks to the same server with the same key: `headwater.Client()` works inside tasks.
        return variables if self.key is None else {**variables, KEY.variable: self.key}

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> AttemptSpec:
        """Return what the environment says.

        Raises:
            SettingsError: it names no attempt.

        """
        given = os.environ if environment is None else environment
        try:
            run_id, attempt = given[_RUN_ID], int(given[_ATTEMPT])
        except (KeyError, ValueError):
            raise SettingsError(
                "This program executes a run for an agent, and no agent started it.", hint="Start one: headwater agent local start"
            ) from None
        return cls(
            run_id=run_id,
            attempt=attempt,
            nats_url=NATS_URL.value(given) or DEFAULT_NATS_URL,
            key=KEY.value(given),
            show_logs=bool(given.get(_SHOW_LOGS)),
        )


def wants_source() -> bool:
    """Tell whether tracebacks in the log carry source text, as the environment says; an unreadable setting means no."""
    try:
        return TRACEBACK_SOURCE.value()
    except SettingsError:
        return False
