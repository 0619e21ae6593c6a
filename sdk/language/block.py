"""`with` blocks inside a flow that connect the tasks called in them to something around: branches and resources."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Self

from headwater.sdk.context.values import current_values
from headwater.sdk.language.errors import InvalidFlow

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.language.task import Task


class Block(ABC):
    """Collects the tasks that are added to a flow while it is open. At its end, `enclose` connects them.

    The flow is the one that is given or being built; where there is none, the one that the first of the tasks is added to. Parameters and
    constants are left out: they belong to the whole flow.
    """

    key_in_context: ClassVar[str]
    """Under which key of `headwater.context` the innermost open block of its kind is."""

    def __init__(self, flow: Flow | None = None) -> None:
        self._flow = flow
        self._members: dict[Task, None] = {}
        self._token: Token[dict[str, Any]] | None = None

    @property
    def flow(self) -> Flow:
        """The flow that the block is in."""
        assert self._flow is not None, "the block has tasks"
        return self._flow

    def add_task(self, task: Task, flow: Flow) -> None:
        """Add a task, new in this flow, to the block.

        Raises:
            InvalidFlow: the block is in another flow.

        """
        self._flow = self._flow or flow
        if flow is not self._flow:
            raise InvalidFlow(
                f"Task {task.name!r} is added to flow {flow.name!r} inside of a `with {type(self).__name__}(...)` block "
                f"of flow {self._flow.name!r}; multiple flows cannot share a block.",
                hint="Build the other flow outside of the block.",
            )
        self._members[task] = None

    @abstractmethod
    def enclose(self, first: list[Task], last: list[Task]) -> None:
        """Connect what is in the block: `first` have nothing of the block before them, `last` nothing of it after them."""

    def __enter__(self) -> Any:
        return self.open()

    def open(self) -> Self:
        values = current_values.get()
        self._flow = self._flow or values.get("flow")
        self._members = {}
        self._token = current_values.set({**values, "blocks": (*values.get("blocks", ()), self), self.key_in_context: self})
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._token is not None
        current_values.reset(self._token)
        if error is not None or not self._members:
            return
        members = self._members.keys()
        self.enclose(
            [task for task in members if not self.flow.upstream_tasks(task) & members],
            [task for task in members if not self.flow.downstream_tasks(task) & members],
        )
