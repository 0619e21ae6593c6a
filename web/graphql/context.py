"""What the resolvers of one operation share: the views with a budget, the operations, who asks, and look-ups made once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from strawberry.dataloader import DataLoader

from headwater.core.aggregates import Actor
from headwater.core.errors import InvalidArgument, ViewsBehind
from headwater.core.log.commit import Position
from headwater.core.operations.headwater import Headwater
from headwater.core.queries import AnyQuery, FlowGroupRow, FlowRow, ProjectRow, QueryReply, Row, RunRow, ScheduleRow
from headwater.core.queries.views_client import ViewsClient
from headwater.web.app_state import AppState

QUESTIONS_MAX = 300
"""How many questions one operation may ask the views: nested lists multiply."""

R = TypeVar("R", bound=Row)


class BudgetedViews(ViewsClient):
    """The views, as new as what this server wrote for GraphQL before; one operation asks them only so often."""

    def __init__(self, site: AppState) -> None:
        super().__init__(site.log, wait_seconds=2.0)
        self._site = site
        self._left = QUESTIONS_MAX

    async def page(self, query: AnyQuery, *, at_least: Position = 0, cursor: str | None = None, page_rows: int = 0) -> QueryReply:
        if self._left == 0:
            raise InvalidArgument(
                f"This operation asks the views more than {QUESTIONS_MAX} times.",
                hint="Ask for fewer nested lists, with lower limits.",
            )
        self._left -= 1
        wanted = at_least or self._site.graphql_wrote
        try:
            return await super().page(query, at_least=wanted, cursor=cursor, page_rows=page_rows)
        except ViewsBehind:
            if at_least:
                raise
            self._site.graphql_wrote = 0  # the views are late: what there is, is better than no answer
            return await super().page(query, cursor=cursor, page_rows=page_rows)


@dataclass
class Operation:
    """One GraphQL operation."""

    site: AppState
    actor: Actor
    views: BudgetedViews = field(init=False)
    flows: DataLoader[str, FlowRow | None] = field(init=False)
    flow_groups: DataLoader[str, FlowGroupRow | None] = field(init=False)
    projects: DataLoader[str, ProjectRow | None] = field(init=False)
    runs: DataLoader[str, RunRow | None] = field(init=False)
    schedules: DataLoader[str, ScheduleRow | None] = field(init=False)

    def __post_init__(self) -> None:
        self.views = BudgetedViews(self.site)
        self.flows = self._loader("flows", FlowRow, lambda row: row.id)
        self.flow_groups = self._loader("flow_groups", FlowGroupRow, lambda row: row.id)
        self.projects = self._loader("projects", ProjectRow, lambda row: row.id)
        self.runs = self._loader("runs", RunRow, lambda row: row.id)
        self.schedules = self._loader("schedules", ScheduleRow, lambda row: row.id)

    @property
    def headwater(self) -> Headwater:
        """The log as the one who asks works with it."""
        return self.site.headwater.acting_as(self.actor)

    def _loader(self, table: str, row: type[R], key: Callable[[R], str]) -> DataLoader[str, R | None]:
        async def load(ids: list[str]) -> Sequence[R | None]:
            found = await self.views.find(table, row, {"id": {"_in": ids}}, limit=len(ids))
            by_id = {key(each): each for each in found}
            return [by_id.get(each) for each in ids]

        return DataLoader(load_fn=load, max_batch_size=500)

    def wrote(self, position: Position) -> None:
        """Note what was written: what is asked next shows it."""
        self.site.graphql_wrote = max(self.site.graphql_wrote, position)


def operation_of(info: Any) -> Operation:
    """Return the operation that a resolver works for."""
    operation: Operation = info.context
    return operation
