"""Resources of a run that are set up before the tasks that use them, and cleaned up after them whatever happened."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, overload

from headwater.sdk.language.block import Block
from headwater.sdk.language.errors import InvalidTask
from headwater.sdk.language.task import Task
from headwater.sdk.states.signals import SKIP, TRIGGERFAIL

if TYPE_CHECKING:
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.language.triggers import UpstreamStates


def cleanup_trigger(upstream_states: UpstreamStates) -> bool:
    """Clean up once all that uses the resource is over, if there is a resource: if it was made and set up."""
    if not all(state.is_finished() for state in upstream_states.values()):
        raise TRIGGERFAIL("The resource cannot be cleaned up: some of the tasks that use it have not finished.")
    for edge, state in upstream_states.items():
        if edge.key in _STEPS and (state.is_failed() or state.is_skipped()):
            raise SKIP(f"Resource manager {_STEPS[edge.key]} {'failed' if state.is_failed() else 'skipped'}: nothing to clean up.")
    return True


_STEPS = {"manager": "init", "resource": "setup"}


class ResourceInitTask(Task):
    """Makes the manager: an instance of the user's class."""

    def __init__(self, resource_class: type, **settings: Any) -> None:
        self.resource_class = resource_class
        # The instance would have `run`'s signature checked where there is none: its arguments are the class's.
        self.run = resource_class  # type: ignore[method-assign]
        super().__init__(**settings)


class ResourceSetupTask(Task):
    """Calls the manager's `setup`; its result is the resource."""

    made_by_each_run: ClassVar[bool] = True

    def run(self, manager: Any) -> Any:
        return manager.setup()


class ResourceCleanupTask(Task):
    """Calls the manager's `cleanup` with the resource."""

    decides_outcome: ClassVar[bool] = False
    cleans_up: ClassVar[bool] = True

    def run(self, manager: Any, resource: Any = None) -> None:
        manager.cleanup(resource)


class ResourceContext(Block):
    """The `with` block in which a resource can be used. Gives the task whose result is the resource, or None where there is no `setup`."""

    key_in_context: ClassVar[str] = "resource"

    def __init__(self, init_task: Task, setup_task: Task | None, cleanup_task: Task, flow: Flow | None = None) -> None:
        super().__init__(flow)
        self.init_task = init_task
        self.setup_task = setup_task
        self.cleanup_task = cleanup_task

    def __enter__(self) -> Task | None:
        self.open()
        return self.setup_task

    def enclose(self, first: list[Task], last: list[Task]) -> None:
        flow = self.flow
        before_setup = _all_before(flow, self.init_task if self.setup_task is None else self.setup_task)
        for task in first:
            if self.setup_task is not None and task not in before_setup and self.setup_task not in flow.upstream_tasks(task):
                flow.add_edge(self.setup_task, task)
        for task in last:
            if task not in before_setup:
                flow.add_edge(task, self.cleanup_task)


def _all_before(flow: Flow, task: Task) -> set[Task]:
    found, waiting = {task}, [task]
    while waiting:
        for before in flow.upstream_tasks(waiting.pop()) - found:
            found.add(before)
            waiting.append(before)
    return found


class ResourceManager:
    """A class whose instances manage a resource, for use in flows. Made by `@resource_manager`."""

    def __init__(
        self,
        resource_class: type,
        name: str | None = None,
        init_task_kwargs: Mapping[str, Any] | None = None,
        setup_task_kwargs: Mapping[str, Any] | None = None,
        cleanup_task_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        self.resource_class = resource_class
        self.name = name or resource_class.__name__
        _check(resource_class, self.name)
        self.init_task_kwargs = {"name": self.name, "checkpoint": False, **(init_task_kwargs or {})}
        self.setup_task_kwargs = {"name": f"{self.name}.setup", "checkpoint": False, **(setup_task_kwargs or {})}
        self.cleanup_task_kwargs = {
            "name": f"{self.name}.cleanup",
            "checkpoint": False,
            "trigger": cleanup_trigger,
            "skip_on_upstream_skip": False,
            **(cleanup_task_kwargs or {}),
        }

    def __call__(self, *args: Any, flow: Flow | None = None, **kwargs: Any) -> ResourceContext:
        """Add the tasks that make, set up and clean up the resource to the flow being built; use the result in `with`."""
        init = ResourceInitTask(self.resource_class, **self.init_task_kwargs)
        init.bind(*args, flow=flow, **kwargs)
        cleanup = ResourceCleanupTask(**self.cleanup_task_kwargs)
        if not hasattr(self.resource_class, "setup"):
            return ResourceContext(init, None, cleanup.bind(manager=init, flow=flow), flow)
        setup = ResourceSetupTask(**self.setup_task_kwargs).bind(manager=init, flow=flow)
        return ResourceContext(init, setup, cleanup.bind(manager=init, resource=setup, flow=flow), flow)

    def __repr__(self) -> str:
        return f"<ResourceManager: {self.name}>"


@overload
def resource_manager(resource_class: type, /) -> ResourceManager: ...
@overload
def resource_manager(
    *,
    name: str | None = None,
    init_task_kwargs: Mapping[str, Any] | None = None,
    setup_task_kwargs: Mapping[str, Any] | None = None,
    cleanup_task_kwargs: Mapping[str, Any] | None = None,
) -> Callable[[type], ResourceManager]: ...
def resource_manager(resource_class: type | None = None, /, **settings: Any) -> Any:
    """Make a class with `cleanup`, and most often `setup`, usable in flows.

        @resource_manager
        class Cluster:
            def __init__(self, workers): ...
            def setup(self): return connect()
            def cleanup(self, client): client.close()

        with Flow("f") as flow:
            with Cluster(workers=3) as client:
                load(client)

    Without a `setup`, `cleanup` gets None, and the tasks of the block only come before it.
    The clean-up runs once all tasks of the block are over, failed or not, and also where the run is interrupted or cancelled: then it has
    the grace period for it. It is skipped where the resource was not set up.
    The settings of the three tasks are given by `init_task_kwargs`, `setup_task_kwargs` and `cleanup_task_kwargs`.

    Raises:
        InvalidTask: the class lacks `cleanup`, or its methods take other arguments.

    """
    if resource_class is None:
        return lambda decorated: ResourceManager(decorated, **settings)
    return ResourceManager(resource_class, **settings)


def _check(resource_class: type, name: str) -> None:
    if not isinstance(resource_class, type):
        raise InvalidTask(f"@resource_manager takes a class, and {resource_class!r} is none.")
    for method, takes in (("setup", "(self)"), ("cleanup", "(self, resource)")):
        function = getattr(resource_class, method, None)
        if function is None and method == "setup":
            continue
        if function is None:
            raise InvalidTask(f"Resource manager {name!r} has no {method}.", hint=f"Write def {method}{takes}: ...")
        expected = ("manager",) if method == "setup" else ("manager", "resource")
        try:
            inspect.signature(function).bind(*expected)
        except TypeError:
            raise InvalidTask(f"Resource manager {name!r}: {method} must be callable as {method}{takes}.") from None
