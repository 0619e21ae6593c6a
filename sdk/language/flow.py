"""A flow: a graph of tasks with a name, and what can be done with it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from contextvars import Token
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from headwater.outside import outside
from headwater.sdk.context.configuration import config
from headwater.sdk.context.values import current_values
from headwater.sdk.language import flow_settings as settings
from headwater.sdk.language.being_loaded import is_being_loaded
from headwater.sdk.language.edge import Edge
from headwater.sdk.language.errors import InsideFlowBlock, InvalidFlow
from headwater.sdk.language.flow_graph import FlowGraph
from headwater.sdk.language.named_logger import NamedLogger
from headwater.sdk.language.task import StateHandler, Task
from headwater.sdk.language.task_settings import handlers
from headwater.sdk.language.unused_tasks import MadeTasks, made_tasks

if TYPE_CHECKING:
    from headwater.core.calendar import Schedule
    from headwater.core.calendar.policies import PolicyOptions
    from headwater.sdk.engine.flow_runner import FlowRunner
    from headwater.sdk.environments import Environment
    from headwater.sdk.executors import Executor
    from headwater.sdk.results import Result
    from headwater.sdk.run_configs import RunConfig
    from headwater.sdk.states.state import State
    from headwater.sdk.storage import Storage

TerminalStateHandler = Callable[["Flow", "State", "set[State]"], "State | None"]
"""Called at the end of a run with the flow, its final state and its reference tasks' states; may return another state."""


class Flow(FlowGraph):
    """A graph of tasks.

        with Flow("hello-flow") as flow:
            say_hello()

    or `Flow("hello-flow", tasks=[hello_task])`. A run succeeds if its reference tasks do; these are the tasks with
    nothing after them, unless `reference_tasks` names others.

    Args:
        name: at most 255 characters. A project has one flow of each name.
        schedule: when runs start; none by default.
        executor: where tasks run; by default what the configuration names, else a `LocalExecutor`, which runs one after the other.
        run_config: how an agent starts runs, and with which labels; `UniversalRun()` by default.
        storage: where the code lies that runs execute; `Local()` by default.
        tasks: tasks of the flow, besides those called in its block.
        edges: dependencies between tasks, besides those that calls make.
        reference_tasks: the tasks that decide how a run ended.
        state_handlers: called as `handler(flow, old_state, new_state)` at each change of a run's state; each returns the state to enter.
        on_failure: called as `on_failure(flow, state)` when a run enters a failed state.
        validate: check now that the graph can be run; registering and running check it anyway.
        result: keeps the results of tasks that have no result of their own.
        terminal_state_handler: called as `handler(flow, state, reference_states)` at the end of a run; it may return another state.
        environment: as flows of Prefect 0.13 and 0.14 give it; sets `run_config` and `executor`.

    Raises:
        InvalidFlowName: the name is empty, longer than 255 characters or holds control characters.
        InvalidFlow: the tasks or edges cannot be connected so.

    """

    logger = NamedLogger()
    """`headwater.<name of the flow>`."""

    terminal_state_handler: TerminalStateHandler | None = None
    """What may change how a run ended. Flows that were pickled before there was one have none."""

    def __init__(  # noqa: PLR0917 - the signature people know
        self,
        name: str,
        schedule: Schedule | None = None,
        executor: Executor | None = None,
        run_config: RunConfig | None = None,
        storage: Storage | None = None,
        tasks: Iterable[Task] | None = None,
        edges: Iterable[Edge] | None = None,
        reference_tasks: Iterable[Task] | None = None,
        state_handlers: Iterable[StateHandler] | None = None,
        on_failure: Callable[[Any, State], None] | None = None,
        validate: bool | None = None,
        result: Result | None = None,
        terminal_state_handler: TerminalStateHandler | None = None,
        *,
        environment: Environment | None = None,
    ) -> None:
        super().__init__()
        self.name = settings.name(name)
        self.schedule = settings.schedule(schedule, flow=name)
        self.executor = settings.executor(executor, flow=name)
        self.run_config = settings.run_config(run_config, flow=name)
        if environment is not None:
            self.environment = environment
        self.storage = settings.storage(storage, flow=name)
        self.result = settings.result(result, flow=name)
        self.state_handlers = handlers(state_handlers, on_failure, owner=f"Flow {name!r}")
        self.terminal_state_handler = settings.terminal_state_handler(terminal_state_handler, flow=name)
        self._open_blocks: list[Token[dict[str, Any]]] = []
        for task in settings.several("tasks", tasks):
            self.add_task(task)
        for edge in settings.edges(edges, flow=name):
            self.add_edge(edge.upstream_task, edge.downstream_task, edge.key, edge.mapped, edge.flattened)
        self._reference_tasks: tuple[Task, ...] | None = None
        if reference_tasks is not None:
            self.set_reference_tasks(reference_tasks)
        if validate:
            self.validate()

    @property
    def environment(self) -> Environment | None:
        """Where the flow runs, as flows of Prefect 0.13 and 0.14 say it: setting it sets `run_config`, and `executor` if it has one."""
        return self.__dict__.get("_environment")

    @environment.setter
    def environment(self, environment: Environment | None) -> None:
        chosen = settings.environment(environment, flow=self)
        self._environment = chosen
        self.run_config = None if chosen is None else chosen.run_config()
        if chosen is not None and chosen.executor is not None:
            self.executor = chosen.executor

    def __enter__(self) -> Self:
        self._open_blocks.append(current_values.set({**current_values.get(), "flow": self, "made_tasks": MadeTasks(made_tasks())}))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        made = made_tasks()
        current_values.reset(self._open_blocks.pop())
        if error is None and made is not None:
            made.warn_of_unused(self.name)

    def copy(self) -> Flow:
        """Return a flow of its own with the same tasks: changing its graph leaves this one as it is."""
        twin = copy.copy(self)
        twin.__dict__.update({name: dict(value) for name, value in self.__dict__.items() if type(value) is dict and name != "_derived"})
        for name in ("_edges_to", "_edges_from", "constants"):
            setattr(twin, name, {task: dict(inner) for task, inner in getattr(self, name).items()})
        twin._fed_arguments = {task: set(keys) for task, keys in self._fed_arguments.items()}  # noqa: SLF001
        twin._slug_counters = self._slug_counters.copy()  # noqa: SLF001
        twin.state_handlers = list(self.state_handlers)
        twin._derived, twin._open_blocks = {}, []  # noqa: SLF001
        return twin

    def run(
        self,
        parameters: Mapping[str, Any] | None = None,
        run_on_schedule: bool | None = None,
        runner_cls: type[FlowRunner] | None = None,
        *,
        executor: Executor | None = None,
        context: Mapping[str, Any] | None = None,
        task_states: Mapping[Task, State] | None = None,
        flow_run_name: str | None = None,
        flow_run_id: str | None = None,
        state: State | None = None,
        task_contexts: Mapping[Task, Mapping[str, Any]] | None = None,
        **kwargs: Any,
    ) -> State:
        """Run the flow here and now, without any server, and return its final state.

        `state.result` maps each task to its state. Retries are waited for. Ctrl-C ends the run as Cancelled. A flow with a
        schedule runs at each moment of it, and returns when the schedule is over.

        Args:
            parameters: values of the flow's parameters, which may also be given by name: `flow.run(x=1)`.
            run_on_schedule: whether the schedule is followed; with False the flow runs once, now. What
                `flows.run_on_schedule` of the configuration says by default, which is yes.
            runner_cls: a kind of `FlowRunner` to run it with.
            executor: where the tasks run; the flow's own executor, or one after the other, by default.
            context: values for `headwater.context` during the run. `date`, a datetime or a text in ISO 8601, moves `today`,
                `yesterday` and `tomorrow` as well.
            task_states: states of tasks, for the first run: those that are over are not run again.
            flow_run_name: what `context.flow_run_name` is; a random one by default.
            flow_run_id: what `context.flow_run_id` is; a random one by default.
            state: the state in which the first run is, with the states of its tasks as result. It begins at the `start_time` of a
                Scheduled one; a final state is returned as it is.
            task_contexts: values for `headwater.context` during single tasks.
            kwargs: values of the flow's parameters. A parameter called as an argument above is meant where both could be.

        Raises:
            InsideFlowBlock: called inside the `with Flow(...)` block.
            WrongParameters: a parameter is unknown, missing or given twice.
            InvalidFlow: the flow cannot run.

        """
        self._refuse_inside_block("run")
        if is_being_loaded(self.name, "run"):
            from headwater.sdk.states.state import Pending

            return Pending("Not run: the file is only being loaded.")
        ended: State = outside.run(
            self,
            parameters,
            kwargs,
            on_schedule=config["flows"]["run_on_schedule"] if run_on_schedule is None else run_on_schedule,
            runner_class=runner_cls,
            executor=executor,
            context=context,
            task_states=task_states,
            flow_run_name=flow_run_name,
            flow_run_id=flow_run_id,
            state=state,
            task_contexts=task_contexts,
        )
        return ended

    def set_schedule(self, schedule: Schedule | None, **policies: Unpack[PolicyOptions]) -> None:
        """Let runs start by this schedule; None: by none. Registering the flow makes it known to the server.

            flow.set_schedule(CronSchedule("0 6 * * MON-FRI"), overlap="queue_one", pause_on_failure=3)

        Args:
            schedule: when runs start.
            **policies: how its moments become runs, in place of the schedule's own: `missed`, `window`, `overlap`, `jitter`,
                `pause_on_failure`, `end`, `max_runs`, as in `headwater.schedules.policies.PolicyOptions`.

        Raises:
            InvalidFlow: this is not a schedule.
            InvalidArgument: there is no such policy, or it cannot have this value.

        """
        chosen = settings.schedule(schedule, flow=self.name)
        if policies and chosen is not None:
            chosen = chosen.with_policies(**policies)
        self.schedule = chosen

    def register(  # noqa: PLR0917 - the signature people know
        self,
        project_name: str | None = None,
        build: bool = True,
        labels: Iterable[str] | None = None,
        set_schedule_active: bool | None = None,
        version_group_id: str | None = None,
        no_url: bool = False,
        idempotency_key: str | None = None,
        **storage_kwargs: Any,
    ) -> str | None:
        """Store the flow's code on this side, make its metadata known to the server, and return the new version's id.

        Each call makes a new version and archives the older ones, unless `idempotency_key` is that of the last call;
        `flow.serialized_hash()` is a good one. While a file is only being loaded, this does nothing and returns None.

        The flow's schedule is active from then on, unless a user or its own policy paused it: `set_schedule_active=True` resumes it,
        False pauses it.

        Raises:
            InsideFlowBlock: called inside the `with Flow(...)` block.
            InvalidFlow: the flow cannot run.
            NotFound: there is no such project.
            LogUnavailable: no server answers.

        """
        self._refuse_inside_block("register")
        if is_being_loaded(self.name, "register"):
            return None
        return outside.register(
            self,
            project_name=project_name,
            build=build,
            labels=labels,
            idempotency_key=idempotency_key,
            set_schedule_active=set_schedule_active,
            version_group_id=version_group_id,
            no_url=no_url,
            **storage_kwargs,
        )

    def run_agent(
        self,
        token: str | None = None,
        show_flow_logs: bool = False,
        log_to_cloud: bool | None = None,
        api_key: str | None = None,
    ) -> None:
        """Start a local agent here that takes this flow's runs, until Ctrl-C.

        Args:
            token: the server's key; `api_key` is the same.
            show_flow_logs: whether the log lines of runs are shown here.
            log_to_cloud: accepted for flows written for other versions; logs are always kept.
            api_key: the server's key.

        Raises:
            InsideFlowBlock: called inside the `with Flow(...)` block.

        """
        del log_to_cloud
        self._refuse_inside_block("run_agent")
        if is_being_loaded(self.name, "run_agent"):
            return
        outside.run_agent(self, token=token or api_key, show_flow_logs=show_flow_logs)

    def serialize(self, build: bool = False) -> dict[str, Any]:
        """Return the flow's metadata as JSON values: names, settings, edges, a hash of the code, never the code.

        With `build`, the flow is stored first, and the metadata says where.

        Raises:
            InvalidFlow: it is to be stored, and has no storage.

        """
        from headwater.sdk.language.serialization import serialize_flow

        if build:
            if self.storage is None:
                raise InvalidFlow(f"Flow {self.name!r} has no storage to be stored in.", hint="Write Flow(..., storage=Local()).")
            self.storage.put_flow(self)
            self.storage.build()
        return serialize_flow(self)

    def serialized_hash(self, build: bool = False) -> str:
        """Return a SHA-256 over the metadata and the tasks' code, as 64 hex digits.

        The same flow has the same hash in every process. It changes with any task's code, with the functions and
        values of the flow's own module that the code uses, and with settings; not with comments or line numbers.
        """
        from headwater.sdk.language.serialization import hash_of

        if build:
            self.serialize(build=True)
        return hash_of(self)

    def visualize(
        self,
        flow_state: State | None = None,
        filename: str | None = None,
        format: str | None = None,  # noqa: A002 - the name people know
        horizontal: bool = False,
    ) -> Any:
        """Draw the flow, and return the drawing as a `graphviz.Digraph`.

        It is written to `filename` if that is given (in the format of its ending, or `format`); else it is shown, by a
        notebook or by the system's viewer. With the final state of a run, tasks have the colours of their states. Needs
        `headwater[viz]` and the program graphviz.

        Raises:
            InvalidArgument: one of them is not installed.

        """
        from headwater.sdk.language.drawing import draw

        return draw(self, flow_state=flow_state, filename=filename, format=format, horizontal=horizontal)

    def diagnostics(self, include_secret_names: bool = False) -> str:
        """Return versions, what is configured, and what the flow is made of, as JSON: names and counts, no values."""
        from headwater.sdk.language.diagnostics import diagnostic_info

        return diagnostic_info(self, include_secret_names)

    def save(self, fpath: str | Path | None = None) -> str:
        """Write the flow to a file, `flows/<name>.flow` in Headwater's home by default, and return its path."""
        return str(outside.save(self, Path(fpath) if fpath is not None else None))

    @staticmethod
    def load(fpath: str | Path) -> Flow:
        """Return the flow that `save` wrote, given its path or the flow's name. Load only what you trust: it runs code."""
        loaded: Flow = outside.load(fpath)
        return loaded

    def _refuse_inside_block(self, method: str) -> None:
        if current_values.get().get("flow") is self:
            raise InsideFlowBlock(method)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_derived": {}, "_sorted": None, "_open_blocks": []}

    def __eq__(self, other: object) -> bool:
        return self is other or (
            type(self) is type(other)
            and isinstance(other, Flow)
            and (self.name, self.tasks, self.edges, self.reference_tasks())
            == (other.name, other.tasks, other.edges, other.reference_tasks())
        )

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"<Flow: name={self.name!r}>"
