"""What a run's process must know, handed over in its environment by the agent that claimed the run."""

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
_SUPERVISED = INTERNAL_PREFIX + "SUPERVISED"
_SERVER_HOME = INTERNAL_PREFIX + "SERVER_HOME"
_KNOWN = INTERNAL_PREFIX + "KNOWN_RUN"

KNOWN_BYTES_MAX = 32 * 1024
"""Larger runs are read from the log: an environment variable is not a place for megabytes of parameters."""


def mark_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which all that an attempt starts is known; nothing where the environment names no attempt."""
    mark = {name: environment.get(name, "") for name in (_RUN_ID, _ATTEMPT)}
    return mark if all(mark.values()) else {}


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


_decode_known = msgspec.json.Decoder(RunSnapshot).decode


@dataclass(frozen=True, kw_only=True)
class AttemptSpec:
    """Which attempt of which run to execute, and where its log is.

    `supervised`: the descriptors of `launcher_protocol` are open, and the agent reads the report. `known` spares a look into the log.
    `home`: its `server.json` tells where the server is by now; empty where the server's address is fixed.
    """

    run_id: str
    attempt: int
    nats_url: str
    key: str | None = None
    show_logs: bool = False
    supervised: bool = False
    known: RunSnapshot | None = None
    home: str = ""

    @property
    def actor(self) -> str:
        """The process's name in the audit trail."""
        return f"run:{self.run_id}#{self.attempt}"

    def environment(self) -> dict[str, str]:
        """Return the variables that say this, stronger than whatever others say."""
        known = b"" if self.known is None else msgspec.json.encode(self.known)
        variables = {
            NATS_URL.variable: self.nats_url,
            _RUN_ID: self.run_id,
            _ATTEMPT: str(self.attempt),
            _SHOW_LOGS: "1" if self.show_logs else "",
            _SUPERVISED: "1" if self.supervised else "",
            _SERVER_HOME: self.home,
            _KNOWN: known.decode() if len(known) <= KNOWN_BYTES_MAX else "",
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
            supervised=bool(given.get(_SUPERVISED)),
            home=given.get(_SERVER_HOME, ""),
            known=_decode_known(given[_KNOWN]) if given.get(_KNOWN) else None,
        )


def wants_source() -> bool:
    """Tell whether tracebacks in the log carry source text, as the environment says; an unreadable setting means no."""
    try:
        return TRACEBACK_SOURCE.value()
    except SettingsError:
        return False
