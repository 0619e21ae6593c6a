"""What all environments have: labels, and what is called before and after a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypedDict, TypeVar

from headwater.core.values.labels import label_set
from headwater.sdk.context.interrupts import is_interrupt
from headwater.sdk.environments.errors import EnvironmentFailed, InvalidEnvironment
from headwater.sdk.executors import Executor
from headwater.sdk.run_configs import RunConfig, UniversalRun

Outcome = TypeVar("Outcome")
NOT_CALLED = ("setup", "execute")


class EnvironmentOptions(TypedDict, total=False):
    """The arguments that all environments take."""

    labels: Iterable[str] | None
    on_start: Callable[[], object] | None
    on_exit: Callable[[], object] | None
    metadata: Mapping[str, Any] | None


class Environment:
    """Where a flow runs, as flows of Prefect 0.13 and 0.14 say it.

    Given to a flow, it sets the flow's run config and executor; registering the flow tells which.

    Args:
        labels: labels that an agent must have.
        on_start: called without arguments in the process of a run, before the flow. If it raises an error, the run is Failed.
        on_exit: called after the flow, however it ended, though not after an error of `on_start`.
        metadata: kept, for those who look for it.

    Raises:
        InvalidEnvironment: an argument has the wrong form, or a class of its own defines `setup` or `execute`, which are not called.

    """

    executor: Executor | None = None
    """Where the tasks run; None leaves the flow's own."""

    def __init__(
        self,
        labels: Iterable[str] | None = None,
        on_start: Callable[[], object] | None = None,
        on_exit: Callable[[], object] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        kind = type(self).__name__
        if isinstance(labels, str):
            raise InvalidEnvironment(f"{kind}: labels={labels!r} is one text.", hint=f"Write labels=[{labels!r}].")
        for name, given in (("on_start", on_start), ("on_exit", on_exit)):
            if given is not None and not callable(given):
                raise InvalidEnvironment(f"{kind}: {name} takes a function, and {given!r} is not one.")
        if metadata is not None and not isinstance(metadata, Mapping):
            raise InvalidEnvironment(f"{kind}: metadata takes a dict, not {metadata!r}.")
        own = [name for name in NOT_CALLED if hasattr(type(self), name)]
        if own:
            raise InvalidEnvironment(
                f"{kind} defines {own[0]}(), which Headwater does not call: an environment is a run config and an executor here.",
                hint="Give the flow run_config=... and executor=..., and an agent where it is to run.",
            )
        self.labels = set(label_set(labels or ()))
        self.on_start = on_start
        self.on_exit = on_exit
        self.metadata = dict(metadata or {})

    def run_config(self) -> RunConfig:
        """Return the run config that this environment means."""
        return self.labelled(UniversalRun())

    def labelled(self, run_config: RunConfig) -> RunConfig:
        """Return the run config with this environment's labels: labels that are added to the environment later are its labels too."""
        run_config.labels = self.labels
        return run_config

    def notes(self) -> list[str]:
        """Return what of the environment is not used, in sentences."""
        return []

    def meaning(self) -> str:
        """Return what the environment became, as one line."""
        executor = "" if self.executor is None else f" and the executor {type(self.executor).__name__}"
        return " ".join([f"{type(self).__name__} is read as {self.run_config()!r}{executor}.", *self.notes()])

    def around(self, run: Callable[[], Outcome]) -> Outcome:
        """Call `on_start`, then `run`, then `on_exit` however `run` ended, and return what `run` returned.

        Raises:
            EnvironmentFailed: `on_start` or `on_exit` raised an error, which is its cause.

        """
        _call(self.on_start)
        try:
            return run()
        finally:
            _call(self.on_exit)

    def __repr__(self) -> str:
        return f"<Environment: {type(self).__name__}>"


def _call(function: Callable[[], object] | None) -> None:
    if function is None:
        return
    try:
        function()
    except BaseException as error:  # it is the user's code
        if is_interrupt(error):
            raise
        raise EnvironmentFailed(f"Failed to load and execute Flow's environment: {error!r}") from error


def given_executor(environment: str, given: Any) -> Executor | None:
    """Return the executor that an environment was given, or None.

    Raises:
        InvalidEnvironment: it is not one.

    """
    if given is None or isinstance(given, Executor):
        return given
    raise InvalidEnvironment(
        f"{environment}: executor takes an Executor or None, not {given!r}.", hint="Write executor=LocalDaskExecutor(), for example."
    )
