"""A projector small enough for thousands of histories: it folds runs into rows, and knows how far it got."""

from __future__ import annotations

from collections.abc import Sequence

from headwater.core.log.commit import Position
from headwater.core.log.protocol import Recorded
from headwater.core.runs import rules as run_rules
from headwater.core.runs.state import Run


class Projection:
    """Rows and the position they are of, moved together."""

    def __init__(self) -> None:
        self.position: Position = 0
        self.rows: dict[str, Run] = {}

    def apply(self, batch: Sequence[Recorded]) -> None:
        assert batch[0].position == self.position + 1, "a gap or a repetition"
        for recorded in batch:
            if recorded.subject.startswith("hw.evt.run."):
                self.rows[recorded.subject] = run_rules.RULES.fold(recorded.commit.events, self.rows.get(recorded.subject))
        self.position = batch[-1].position
