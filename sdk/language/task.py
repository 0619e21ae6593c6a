"""A task: one step of a flow, and how it is connected to others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from inspect import isfunction
from typing import TYPE_CHECKING, Any, ClassVar, Self

from headwater.sdk.context.values import current_values
from headwater.sdk.language import task_settings as settings
from headwater.sdk.language.active_flow import active_flow
from headwater.sdk.language.annotations import EdgeAnnotation
from headwater.sdk.language.errors import WrongArguments, WrongTaskType
from headwater.sdk.language.named_logger import NamedLogger
from headwater.sdk.language.operators import TaskOperators
from headwater.sdk.language.run_signature import SignatureOfCall, check_arguments, number_of_outputs, signature_of_run, without_first
from headwater.sdk.language.setting_changes import by_name, change
from headwater.sdk.language.unused_tasks import made_tasks
from headwater.sdk.language.users_line import given_to_constructor, users_line, warn_at

if TYPE_CHECKING:
    from headwater.sdk.language.cache_validators import CacheValidator
    from headwater.sdk.language.flow import Flow
    from headwater.sdk.language.flow_graph import FlowGraph
    from headwater.sdk.language.triggers import Trigger
    from headwater.sdk.results import Result
    from headwater.sdk.states.state import State

StateHandler = Callable[[Any, "State", "State"], "State | None"]
"""Called with the task (or flow), its old and its new state; may return another state to enter instead."""


class Task(TaskOperators):
    """One step of a flow. Subclasses define `run`; functions become tasks with `@task`.

        class Extract(Task):
            def run(self, day):
                return read(day)

        extract = Extract(max_retries=3, retry_delay=timedelta(seconds=10))

    Args:
        name: what people see; the name of the function or the class by default.
        slug: identifies the task in its flow; made of the name and a number by default.
        tags: words to find and group tasks by; those of `with tags(...)` are added.
        max_retries: how often the task is tried again after a failure; 0 by default.
        retry_delay: the pause before each retry, a timedelta or seconds; given together with `max_retries`. The attribute is a timedelta.
        retry_on: only these exceptions are retried; all by default.
        timeout: how long one execution may take, a timedelta or seconds; without end by default. The attribute is in seconds.
        trigger: decides by the states of the tasks before whether this one runs; `all_successful` by default.
        skip_on_upstream_skip: whether the task is Skipped where a task before it was.
        cache_for: how long the result serves later runs, a timedelta or seconds, where `cache_validator` agrees.
        cache_validator: tells of a kept result whether it serves these inputs and parameters.
        cache_key: tasks with the same key share kept results.
        checkpoint: False keeps the result from being written by `result`.
        state_handlers: called as `handler(task, old_state, new_state)` at each change of state; each returns the state to enter.
        on_failure: called as `on_failure(task, state)` when the task enters a failed state.
        log_stdout: whether what the task prints becomes log lines.
        result: where and how the value is kept; the flow's result by default.
        target: a template or a function like `task_run_name` that says where the result is written; where it is there already, the
            task does not run.
        task_run_name: a template or a function of the context and the inputs; the task's name by default.
        nout: the number of results, for tasks that are unpacked.

    Raises:
        InvalidTask: a setting, or the signature of `run`, cannot work; the sentence says what to write instead.

    """

    belongs_to_blocks: ClassVar[bool] = True
    """Whether a `with case(...)` or a resource's block takes it in; parameters and constants belong to the whole flow."""
    decides_outcome: ClassVar[bool] = True
    """Whether it is among the tasks that decide how a run ended, where it is one of the last."""

    must_be_used: ClassVar[bool] = True
    """Whether it is a mistake to make it in the block of a flow and not to add it; a constant may be made for its value."""

    logger = NamedLogger()
    """`headwater.<name of the task>`: in a run, what is logged there is in the log of the task run."""

    __signature__ = SignatureOfCall()
    """What `inspect.signature` and editors show of a call."""

    made_by_each_run: ClassVar[bool] = False
    """Whether its result does not outlive a run, as a resource or a secret: where a run is repeated, it is executed again."""

    is_parameter: ClassVar[bool] = False
    """Whether it is an input of the whole flow."""

    cleans_up: ClassVar[bool] = False
    """Whether it is executed also where its run is interrupted, if what it cleans up is there."""

    def __init_subclass__(cls, **settings_of_class: Any) -> None:
        super().__init_subclass__(**settings_of_class)
        if isfunction(run := cls.__dict__.get("run")):
            # Here, not only where a task is made of it: this is the line where it is written. The first argument is the task itself.
            check_arguments(without_first(inspect.signature(run)), task=cls.__name__)

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        name: str | None = None,
        slug: str | None = None,
        tags: Iterable[str] | None = None,
        max_retries: int | None = None,
        retry_delay: timedelta | float | None = None,
        retry_on: type[Exception] | Iterable[type[Exception]] | None = None,
        timeout: timedelta | float | None = None,
        trigger: Trigger | None = None,
        skip_on_upstream_skip: bool = True,
        cache_for: timedelta | float | None = None,
        cache_validator: CacheValidator | None = None,
        cache_key: str | None = None,
        checkpoint: bool | None = None,
        state_handlers: Iterable[StateHandler] | None = None,
        on_failure: Callable[[Any, State], None] | None = None,
        log_stdout: bool = False,
        result: Result | None = None,
        target: str | Callable[..., str] | None = None,
        task_run_name: str | Callable[..., str] | None = None,
        nout: int | None = None,
    ) -> None:
        if type(self) is not Task:
            self._warn_of_misused_subclass()
        self.name: str = settings.task_name(name, default=type(self).__name__)
        self.slug = None if slug is None else settings.text(slug, setting="its slug", owner=f"Task {self.name!r}")
        self.tags: set[str] = settings.tag_set(tags, task=self.name) | settings.tags_in_force()
        retries, delay = settings.retries(*settings.retries_or_defaults(max_retries, retry_delay), task=self.name)
        self.max_retries: int = retries
        self.retry_delay: timedelta | None = delay
        self.retry_on = settings.exceptions_to_retry(retry_on, max_retries=self.max_retries, task=self.name)
        self.timeout = settings.timeout_seconds(settings.timeout_or_default(timeout), task=self.name)
        self.trigger: Trigger = settings.trigger(trigger, task=self.name)
        self.skip_on_upstream_skip = skip_on_upstream_skip
        self.cache_for: timedelta | None = settings.positive_seconds(cache_for, setting="cache_for", task=self.name)
        self.cache_validator = settings.cache_validator(cache_validator, cache_for=self.cache_for, task=self.name)
        self.cache_key = settings.cache_key(cache_key, task=self.name)
        self.checkpoint: bool | None = checkpoint
        self.state_handlers = settings.handlers(state_handlers, on_failure, owner=f"Task {self.name!r}")
        self.log_stdout = log_stdout
        self.result = settings.result(result, task=self.name)
        self.target = settings.target(target, checkpoint=checkpoint, task=self.name)
        self.result = settings.result_at_target(self.result, self.target)
        self.task_run_name = settings.task_run_name(task_run_name, task=self.name)
        check_arguments(self.run_signature, task=self.name)
        self.nout = number_of_outputs(nout, self)
        self._note_as_made()

    def _warn_of_misused_subclass(self) -> None:
        settings.warn_of_overwritten_attributes(self)
        if any(isinstance(given, Task) for given in given_to_constructor(self)):
            name = type(self).__name__
            warn_at(
                users_line(),
                f"A task was given to {name}(...), which makes a task and takes its settings. Make the task first, and call it with its "
                f"inputs: {name}(...)(task).",
            )

    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Do the work. Arguments are the results of tasks before, or constants; the return value is the result."""

    @property
    def run_signature(self) -> inspect.Signature:
        """The signature of `run`, looked at once."""
        signature: inspect.Signature | None = self.__dict__.get("_run_signature")
        if signature is None:
            # A task that defines no `run` takes nothing.
            is_defined = getattr(self.run, "__func__", None) is not Task.run
            signature = self.__dict__["_run_signature"] = signature_of_run(self) if is_defined else inspect.Signature()
        return signature

    def __call__(
        self,
        *args: Any,
        mapped: bool = False,
        task_args: Mapping[str, Any] | None = None,
        upstream_tasks: Iterable[Any] | None = None,
        flow: Flow | None = None,
        **kwargs: Any,
    ) -> Self:
        """Add a copy of this task to the flow being built, with these inputs, and return the copy.

        Args:
            mapped: run once for each element of the inputs.
            task_args: settings of the copy, such as `{"name": "load"}`.
            upstream_tasks: tasks to run before this one without taking their results.
            flow: the flow to add to, where no `with Flow(...)` block is open.
            args: inputs of `run`, as in `kwargs`: tasks, constants, or collections of both.

        """
        twin = self._twin(by_name(task_args, task=self.name))
        return twin.bind(*args, mapped=mapped, upstream_tasks=upstream_tasks, flow=flow, **kwargs)

    def map(
        self,
        *args: Any,
        upstream_tasks: Iterable[Any] | None = None,
        flow: Flow | None = None,
        task_args: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Self:
        """Add a copy of this task that runs once for each element of its inputs, and return it; wrap constants in `unmapped`.

            rows = extract.map(["2027-01-01", "2027-01-02"], source=unmapped("orders"))

        Its result is a list of as many results as there are elements, so that `nout` says nothing about it.
        """
        twin = self._twin({"nout": None, **by_name(task_args, task=self.name)})
        return twin.bind(*args, mapped=True, upstream_tasks=upstream_tasks, flow=flow, **kwargs)

    def bind(
        self,
        *args: Any,
        mapped: bool = False,
        upstream_tasks: Iterable[Any] | None = None,
        flow: FlowGraph | None = None,
        **kwargs: Any,
    ) -> Self:
        """Give this very task its inputs in the flow being built, and return it.

        Raises:
            NoActiveFlow: no flow is being built.
            WrongArguments: `run` does not take these arguments.

        """
        flow = flow or active_flow(f"call task {self.name!r}", instead=f"{self.name}.run(...)")
        try:
            bound = self.run_signature.bind(*args, **kwargs)
        except TypeError as error:
            raise WrongArguments(f"Task {self.name!r}: {error}. Its run takes {self.run_signature}.") from None
        inputs = dict(bound.arguments)
        for name, parameter in self.run_signature.parameters.items():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                inputs.update(inputs.pop(name, {}))
        flow.set_dependencies(self, upstream_tasks=upstream_tasks, keyword_tasks=inputs, mapped=mapped)
        self.tags |= settings.tags_in_force()
        return self

    def copy(self, **task_args: Any) -> Self:
        """Return a copy with these settings changed. A slug that was given becomes `<slug>-copy`; dependencies are not copied.

        Raises:
            InvalidTask: a task has no such setting, or it cannot be so.

        """
        twin = self._twin(task_args)
        twin._note_as_made()  # noqa: SLF001 - a task of its own kind
        return twin

    def _twin(self, task_args: Mapping[str, Any]) -> Self:
        if (made := made_tasks()) is not None:
            made.discard(self)
        flow: Flow | None = current_values.get().get("flow")
        if flow is not None and flow.connects(self):
            warn_at(users_line(), f"Task {self.name!r} has dependencies in flow {flow.name!r} already; its copy does not have them.")
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        if self.slug is not None:
            twin.slug = f"{self.slug}-copy"
        twin.tags = {*self.tags, *settings.tags_in_force()}
        if task_args:
            change(twin, task_args, methods=Task)
        return twin

    __copy__ = copy

    def _note_as_made(self) -> None:
        """Let the open block of a flow, if there is one, warn of this task where it is not used."""
        if self.must_be_used and (made := made_tasks()) is not None:
            made.add(self)

    def set_upstream(self, task: Any, flow: Flow | None = None, key: str | None = None, mapped: bool = False) -> Self:
        """Run `task` before this one; with `key`, take its result as that argument. Return this task."""
        return self.set_dependencies(
            flow=flow,
            upstream_tasks=None if key is not None else [task],
            keyword_tasks={key: task} if key is not None else None,
            mapped=mapped,
        )

    def set_downstream(self, task: Task, flow: Flow | None = None, key: str | None = None, mapped: bool = False) -> Self:
        """Run `task` after this one; with `key`, give it this one's result as that argument. Return this task.

        Raises:
            WrongTaskType: `task` is not a task.

        """
        if not isinstance(task, Task):
            raise WrongTaskType(f"set_downstream takes a task, not {task!r}.", hint="Call it once for each task that runs after this one.")
        task.set_upstream(self, flow=flow, key=key, mapped=mapped)
        return self

    def set_dependencies(  # noqa: PLR0917 - the signature people know
        self,
        flow: Flow | None = None,
        upstream_tasks: Iterable[Any] | None = None,
        downstream_tasks: Iterable[Any] | None = None,
        keyword_tasks: Mapping[str, Any] | None = None,
        mapped: bool = False,
        validate: bool | None = None,
    ) -> Self:
        """Say in the given flow, or the one being built, what runs before and after this task and what feeds it. Return this task."""
        flow = flow or active_flow(f"set dependencies of task {self.name!r}", instead="flow.set_dependencies(...)")
        flow.set_dependencies(self, upstream_tasks, downstream_tasks, keyword_tasks, mapped=mapped, validate=validate)
        return self

    def pipe(self, function: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Return `function(self, *args, **kwargs)`, so that `a.pipe(b).pipe(c, x=1)` reads from left to right.

        `a.pipe(unmapped)`, and other annotations of inputs, are `a`.
        """
        if isinstance(function, type) and issubclass(function, EdgeAnnotation):
            return self
        return function(self, *args, **kwargs)

    def serialize(self) -> dict[str, Any]:
        """Return what of the task stands in the metadata of its flow, as JSON values: settings and a hash of the code, never the code."""
        from headwater.sdk.language.serialization import serialize_task

        return serialize_task(self)

    def metadata_of_its_own(self) -> dict[str, Any]:
        """Return what `serialize` tells of this kind of tasks beyond what it tells of all."""
        return {}

    def inputs(self) -> dict[str, dict[str, Any]]:
        """Return the arguments of `run`: for each its type as annotated, its default, and whether it must be given."""
        return {
            name: {
                "type": Any if parameter.annotation is parameter.empty else parameter.annotation,
                "default": None if parameter.default is parameter.empty else parameter.default,
                "required": parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD,
            }
            for name, parameter in self.run_signature.parameters.items()
        }

    def outputs(self) -> Any:
        """Return the type that `run` returns, as annotated."""
        annotation = self.run_signature.return_annotation
        return Any if annotation is inspect.Signature.empty else annotation

    def __iter__(self) -> Iterator[Any]:
        if self.nout is None:
            raise WrongTaskType(
                f"Task {self.name!r} cannot be unpacked or iterated over while the flow is built: its result is not there yet.",
                hint="Say how many results it returns, as in @task(nout=2), or use task[0]; to loop over the result, map over it.",
            )
        return iter([self[index] for index in range(self.nout)])

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_run_signature"}

    def __repr__(self) -> str:
        return f"<Task: {self.name}>"
