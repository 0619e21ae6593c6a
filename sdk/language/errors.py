"""Errors of the flow language: what was written, why it cannot work, what to write instead.

    InvalidArgument (core)
    ├── InvalidTask             a task's settings or its `run` cannot work
    │   ├── UnknownSetting      a setting that tasks do not have
    │   └── WrongTaskType       a setting, or an argument of `run`, is of a type that cannot work
    ├── InvalidFlow             the graph cannot work: cycles, unknown tasks, wrong arguments, duplicate slugs
    │   ├── InvalidFlowName     its name is empty, too long or holds control characters
    │   └── NotATask            a value of another type stands where a task belongs
    ├── NoActiveFlow            a task was called where no flow is being built
    ├── WrongArguments          a task was called with arguments that its `run` does not take
    ├── InsideFlowBlock         `run` or `register` was called inside `with Flow(...)`
    └── InvalidParameters (core)
        └── WrongParameters     a run got unknown parameters, or lacks required ones
            └── UnknownArgument flow.run(...) got one by name that it does not take

They are `ValueError`s as well (those of types and arguments are `TypeError`s, `UnknownSetting` is an `AttributeError` too,
`InsideFlowBlock` a `RuntimeError`), so that code which expects one keeps working.
Importing this module lets Python show uncaught errors of Headwater without the frames below the user's line.
"""

from __future__ import annotations

from headwater.core.errors import InvalidArgument, InvalidName, InvalidParameters
from headwater.sdk.language.tracebacks import end_tracebacks_at_users_line

end_tracebacks_at_users_line()


class InvalidTask(InvalidArgument, ValueError):
    """A task's settings or its `run` cannot work."""


class InvalidFlow(InvalidArgument, ValueError):
    """The graph of a flow cannot work. `problems` holds one sentence for each thing that is wrong."""

    def __init__(self, message: str, *, problems: tuple[str, ...] = (), hint: str | None = None) -> None:
        self.problems = problems or (message,)
        super().__init__(message, hint=hint)


class NoActiveFlow(InvalidArgument, ValueError):
    """A task was called where no flow is being built."""


class InsideFlowBlock(InvalidArgument, ValueError, RuntimeError):
    """`flow.run()` or `flow.register()` was called inside the `with Flow(...)` block."""

    def __init__(self, method: str) -> None:
        super().__init__(
            f"flow.{method}() was called inside the `with Flow(...)` block; the flow is not complete there.",
            hint=f"Call flow.{method}() after the block: remove its indentation.",
        )


class UnknownSetting(InvalidTask, TypeError, AttributeError):
    """A task was given a setting that there is not."""


class WrongTaskType(InvalidTask, TypeError):
    """A setting of a task, or an argument of its `run`, is of a type that cannot work."""


class InvalidFlowName(InvalidFlow, InvalidName):
    """The name of a flow is empty, too long or holds control characters."""


class NotATask(InvalidFlow, TypeError):
    """A value of another type stands where a task belongs."""


class WrongParameters(InvalidParameters, ValueError):
    """A run got parameters the flow does not have, or lacks some that it requires."""


class UnknownArgument(WrongParameters, TypeError):
    """`flow.run(...)` got an argument that neither it nor a parameter of the flow has."""


class WrongArguments(InvalidArgument, TypeError):
    """A task was called with arguments that its `run` does not take."""
