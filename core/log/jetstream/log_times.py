"""How long a connection to the log waits for an answer. A cluster may need 9 seconds to elect a leader."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LogTimes:
    """How long calls wait before they end with what is known by then.

    `call_seconds`: how long an append, a message or a question is repeated before the log counts as away, or the outcome as unknown.
    `append_answer_seconds`: how long one answer to an append is waited for; then the commit is looked for, and sent again.
    """

    call_seconds: float = 15.0
    append_answer_seconds: float = 3.0
