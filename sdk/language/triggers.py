"""Triggers: whether a task runs, given the states of the tasks before it.

A trigger is a function of `{edge: state}` that returns True, or False, or raises a signal. Skipped counts as success
and TriggerFailed as failure. A mapped task that feeds a task which is not mapped is one state, `Mapped`, with those of its
children as `map_states`: the triggers here count the children. An argument that is a value counts as a task that succeeded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from headwater.sdk.states import signals
from headwater.sdk.states.state import Mapped, State

if TYPE_CHECKING:
    from headwater.sdk.language.edge import Edge

UpstreamStates = Mapping["Edge", State]
Trigger = Callable[[Mapping["Edge", State]], bool]


def _each(upstream_states: UpstreamStates) -> Sequence[State]:
    states: list[State] = []
    for state in upstream_states.values():
        if isinstance(state, Mapped):
            states.extend(state.map_states)
        else:
            states.append(state)
    return states


def all_finished(upstream_states: UpstreamStates) -> bool:
    """Run whatever happened before."""
    if not all(state.is_finished() for state in _each(upstream_states)):
        raise signals.TRIGGERFAIL('Trigger was "all_finished" but some of the upstream tasks were not finished.')
    return True


always_run = all_finished


def manual_only(upstream_states: UpstreamStates) -> bool:  # noqa: ARG001 - whatever they are
    """Wait until somebody resumes the task."""
    from headwater.sdk.context.context import context

    if context.get("resume"):
        return True
    raise signals.PAUSE('Trigger function is "manual_only"')


def all_successful(upstream_states: UpstreamStates) -> bool:
    """Run if no task before failed."""
    if not all(state.is_successful() for state in _each(upstream_states)):
        raise signals.TRIGGERFAIL('Trigger was "all_successful" but some of the upstream tasks failed.')
    return True


def all_failed(upstream_states: UpstreamStates) -> bool:
    """Run if every task before failed."""
    if not all(state.is_failed() for state in _each(upstream_states)):
        raise signals.TRIGGERFAIL('Trigger was "all_failed" but some of the upstream tasks succeeded.')
    return True


def any_successful(upstream_states: UpstreamStates) -> bool:
    """Run if some task before succeeded, or there is none."""
    if upstream_states and not any(state.is_successful() for state in _each(upstream_states)):
        raise signals.TRIGGERFAIL('Trigger was "any_successful" but none of the upstream tasks succeeded.')
    return True


def any_failed(upstream_states: UpstreamStates) -> bool:
    """Run if some task before failed, or there is none."""
    if upstream_states and not any(state.is_failed() for state in _each(upstream_states)):
        raise signals.TRIGGERFAIL('Trigger was "any_failed" but none of the upstream tasks failed.')
    return True


def not_all_skipped(upstream_states: UpstreamStates) -> bool:
    """Run if no task before failed and not all of them were skipped; where there is none, skip.

    Give the task `skip_on_upstream_skip=False` too.
    """
    states = _each(upstream_states)
    if all(state.is_skipped() for state in states):
        raise signals.SKIP("All upstream tasks were skipped.", result=None)
    if not all(state.is_successful() for state in states):
        raise signals.TRIGGERFAIL('Trigger was "not_all_skipped" but some of the upstream tasks failed.')
    return True


class _Count:
    """Runs a task if the number of states before it that are so lies between two bounds, counts or fractions."""

    def __init__(self, name: str, counted: str, at_least: float | None, at_most: float | None) -> None:
        for bound, value in (("at_least", at_least), ("at_most", at_most)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
                raise ValueError(f"{name}({bound}={value!r}): give a count (int) or a fraction (float from 0 to 1).")
        self.__name__ = f"{name}(at_least={at_least!r}, at_most={at_most!r})"
        self._name, self._counted, self._at_least, self._at_most = name, counted, at_least, at_most

    def __call__(self, upstream_states: UpstreamStates) -> bool:
        if not upstream_states:
            return True
        states = _each(upstream_states)
        count = sum(1 for state in states if (state.is_failed() if self._counted == "failed" else state.is_successful()))
        low = _as_count(self._at_least, len(states), default=0)
        high = _as_count(self._at_most, len(states), default=len(states))
        if not low <= count <= high:
            wanted = f"at least {low:g}" if count < low else f"at most {high:g}"
            how_many = f"{count} of {len(states)} upstream tasks"
            raise signals.TRIGGERFAIL(f'Trigger was "{self._name}" but {how_many} {self._counted}, not {wanted}.')
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Count) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash(self.__name__)


def _as_count(bound: float | None, total: int, *, default: int) -> float:
    if bound is None:
        return default
    # Below 1 it is a part of them: 0.5 is half. From 1 on it is a number of tasks, also as 1.0.
    return bound * total if bound < 1 else bound


def _bounds(at_least: Any, at_most: float | None) -> tuple[float | None, float | None]:
    """Return the bounds: none where a trigger of the user's gives the states themselves. What comes of that is true, as in Prefect."""
    return (None, None) if isinstance(at_least, Mapping) else (at_least, at_most)


def some_failed(at_least: float | None = None, at_most: float | None = None) -> Trigger:
    """Return a trigger that runs the task if that many of the tasks before failed; bounds below 1 are fractions of them."""
    return _Count("some_failed", "failed", *_bounds(at_least, at_most))


def some_successful(at_least: float | None = None, at_most: float | None = None) -> Trigger:
    """Return a trigger that runs the task if that many of the tasks before succeeded; bounds below 1 are fractions of them."""
    return _Count("some_successful", "succeeded", *_bounds(at_least, at_most))


def trigger_name(trigger: Callable[..., Any]) -> str:
    """Return the name under which people see the trigger."""
    return getattr(trigger, "__name__", None) or type(trigger).__name__
