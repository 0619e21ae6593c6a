"""What the `run` of a task takes and returns, as its signature says."""

from __future__ import annotations

import inspect
import typing
from typing import TYPE_CHECKING, Any, get_args, get_origin

from headwater.sdk.language.errors import InvalidTask, WrongArguments, WrongTaskType

if TYPE_CHECKING:
    from headwater.sdk.language.task import Task

RESERVED_ARGUMENTS = frozenset({"upstream_tasks", "mapped", "task_args", "flow"})


def signature_of_run(task: Task) -> inspect.Signature:
    """Return what the `run` that a task defines takes."""
    try:
        return inspect.signature(task.run)
    except ValueError:
        raise InvalidTask(
            f"Task {task.name!r}: the arguments of its run cannot be found out (it is not written in Python).",
            hint="Wrap it: @task def my_task(x): return that_function(x).",
        ) from None


class SignatureOfCall:
    """What calling a task takes, for `inspect.signature(task)` and editors: the inputs of its `run`, and the words of the call itself.

    The class of a task has no such signature: calling it takes settings, and makes a task.
    """

    def __get__(self, task: Task | None, kind: type[Task]) -> inspect.Signature:
        if task is None:
            raise AttributeError("__signature__")
        inputs = list(task.run_signature.parameters.values())
        any_others = [each for each in inputs if each.kind is inspect.Parameter.VAR_KEYWORD]
        words = [each for each in inspect.signature(kind.__call__).parameters.values() if each.name in RESERVED_ARGUMENTS]
        named = [each for each in inputs if each not in any_others]
        return inspect.Signature([*named, *words, *any_others], return_annotation="Task")


def without_first(signature: inspect.Signature) -> inspect.Signature:
    """Return what is left for the caller of a method, given the signature of its function."""
    return signature.replace(parameters=list(signature.parameters.values())[1:])


def check_arguments(signature: inspect.Signature, *, task: str) -> None:
    """Refuse a `run` whose inputs could not be told apart, or not be given by name.

    Raises:
        InvalidTask: `run` has such arguments; `WrongTaskType` where they can only be given by position.

    """
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            raise InvalidTask(
                f"Task {task!r}: run takes *{name}, but inputs of tasks need names.",
                hint="Name each argument, or take one list.",
            )
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            raise WrongTaskType(
                f"Task {task!r}: run takes {name!r} by position only, but inputs of tasks are given by name.",
                hint="Remove the / from its arguments.",
            )
        if name in RESERVED_ARGUMENTS:
            raise InvalidTask(
                f"Task {task!r}: run has an argument {name!r}, a word that calling a task uses itself.",
                hint=f"Rename it; reserved are {', '.join(sorted(RESERVED_ARGUMENTS))}.",
            )


def check_takes(task: Task, argument: str | None) -> None:
    """Check that the `run` of a task takes this argument.

    Raises:
        WrongArguments: it does not.

    """
    parameters = task.run_signature.parameters
    takes_any = any(each.kind is inspect.Parameter.VAR_KEYWORD for each in parameters.values())
    if argument is not None and argument not in parameters and not takes_any:
        raise WrongArguments(f"Task {task.name!r} is fed {argument!r}, which its run{task.run_signature} does not take.")


def outputs_by_annotation(task: Task) -> int | None:
    """Return the number of results if `run` is annotated with a tuple of known length."""
    annotation = task.run_signature.return_annotation
    if isinstance(annotation, str) and annotation.lower().startswith(("tuple[", "typing.tuple[")):
        annotation = _evaluated(task)
    if get_origin(annotation) is not tuple or annotation is typing.Tuple:  # noqa: UP006 - the old name says no length
        return None
    parts = get_args(annotation)
    if Ellipsis in parts:
        return None
    return 0 if parts == ((),) else len(parts)


def _evaluated(task: Task) -> Any:
    """Return the annotation of the result where it was written as text, or None if names in it are not known yet."""
    function = getattr(task.run, "__func__", task.run)
    try:
        return inspect.get_annotations(function, eval_str=True).get("return")
    except Exception:  # noqa: BLE001 - evaluating text runs whatever is in it; without an answer, nout= can still say
        return None


def number_of_outputs(given: int | None, task: Task) -> int | None:
    """Return how many results the task has, if that is known."""
    if given is None:
        return outputs_by_annotation(task)
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise InvalidTask(f"Task {task.name!r}: nout must be a whole number of at least 0, not {given!r}.")
    return given
