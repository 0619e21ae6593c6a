"""`with` blocks inside a flow that connect the tasks called in them to something around: branches and resources."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from headwater.graph.task import active_flow
from headwater.utilities.context import current_values

if TYPE_CHECKING:
    from headwater.graph.flow import Flow
    from headwater.graph.task import Task


class Block(ABC):
    """Collects the tasks that are added to the flow while it is open. At its end, `enclose` connects them.

    Parameters and constants are left out: they belong to the whole flow.

    Raises:
        NoActiveFlow: entered where no flow is being built.

    """

    def __init__(self, flow: Flow | None = None) -> None:
        self._flow = flow
        self._members: dict[Task, None] = {}
        self._token: Token[dict[str, Any]] | None = None

    @property
    def flow(self) -> Flow:
        """The flow that the block is in."""
        assert self._flow is not None, "the block is open"
        return self._flow

    def took(self, task: Task, flow: Flow) -> None:
        """Hear of a task that is new in a flow."""
        if flow is self._flow:
            self._members[task] = None

    @abstractmethod
    def enclose(self, first: list[Task], last: list[Task]) -> None:
        """Connect what is in the block: `first` have nothing of the block before them, `last` nothing of it after them."""

    def __enter__(self) -> Any:
        return self.open()

    def open(self) -> Self:
        self._flow = self._flow or active_flow(f"open a `with {type(self).__name__}(...)` block", instead="an if in a task")
        values = current_values.get()
        self._members = {}
        self._token = current_values.set({**values, "blocks": (*values.get("blocks", ()), self)})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._token is not None
        current_values.reset(self._token)
        if error is not None:
            return
        members = self._members.keys()
        self.enclose(
            [task for task in members if not self.flow.upstream_tasks(task) & members],
            [task for task in members if not self.flow.downstream_tasks(task) & members],
        )
