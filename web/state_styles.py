"""How each state looks, in one place: its colour on light and on dark ground, and the shape that says the same without colour."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from headwater.core.states import FAILED, FINAL, SUCCESSFUL, StateName


class Shape(StrEnum):
    """What a state's mark looks like; the stylesheet draws them."""

    HOLLOW = "hollow"
    CLOCK = "clock"
    TURNING = "turning"
    TICK = "tick"
    CROSS = "cross"
    STRUCK = "struck"


@dataclass(frozen=True)
class Style:
    """Colour on light ground, colour on dark ground, and shape."""

    light: str
    dark: str
    shape: Shape


LOOKS: dict[StateName, Style] = {
    StateName.PENDING: Style("#7aaee0", "#9cc6f0", Shape.HOLLOW),
    StateName.SCHEDULED: Style("#d9900a", "#f2b33d", Shape.CLOCK),
    StateName.PAUSED: Style("#7d86cf", "#a3acf0", Shape.CLOCK),
    StateName.RESUME: Style("#d27a0d", "#f09a3a", Shape.CLOCK),
    StateName.RETRYING: Style("#dd6410", "#fb8b45", Shape.CLOCK),
    StateName.SUBMITTED: Style("#b59a1c", "#e6d162", Shape.HOLLOW),
    StateName.QUEUED: Style("#a89a4c", "#d8cd8f", Shape.HOLLOW),
    StateName.RUNNING: Style("#1f77d8", "#4da3ff", Shape.TURNING),
    StateName.CANCELLING: Style("#7c7a86", "#b4b2be", Shape.TURNING),
    StateName.SUCCESS: Style("#1e9150", "#40bf77", Shape.TICK),
    StateName.CACHED: Style("#4d9a7c", "#74c9a8", Shape.TICK),
    StateName.MAPPED: Style("#4a70ad", "#7ca2dd", Shape.TICK),
    StateName.SKIPPED: Style("#667986", "#93a7b3", Shape.STRUCK),
    StateName.FAILED: Style("#d02f37", "#f2646a", Shape.CROSS),
    StateName.TIMED_OUT: Style("#c4481a", "#f08057", Shape.CROSS),
    StateName.TRIGGER_FAILED: Style("#a8372b", "#e2776a", Shape.CROSS),
    StateName.VALIDATION_FAILED: Style("#b0305c", "#ea7199", Shape.CROSS),
    StateName.CANCELLED: Style("#83878f", "#9ea3ac", Shape.STRUCK),
    StateName.LOOPED: Style("#5a56bd", "#918ef0", Shape.TICK),
}


class Group(StrEnum):
    """What a state means to a user who looks at many: the order in which counts and bars show them."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ACTIVE = "active"
    WAITING = "waiting"


_ACTIVE = {StateName.RUNNING, StateName.CANCELLING, StateName.SUBMITTED}


def group_of(state: str) -> Group:
    """Return the group of a state; an unknown one (of a newer version) counts as waiting."""
    if state in SUCCESSFUL:
        return Group.SUCCESSFUL
    if state in FAILED:
        return Group.FAILED
    if state in FINAL:
        return Group.CANCELLED
    return Group.ACTIVE if state in _ACTIVE else Group.WAITING


def state_class(state: str) -> str:
    """Return the class that gives an element the state's colour and mark."""
    known = state if state in LOOKS else StateName.PENDING
    return f"s-{str(known).lower()} m-{LOOKS[StateName(known)].shape}"


def state_variables() -> str:
    """Return the part of the stylesheet that defines each state's colour, on light and on dark ground."""
    light = "".join(f"--c-{name.lower()}:{look.light};" for name, look in LOOKS.items())
    dark = "".join(f"--c-{name.lower()}:{look.dark};" for name, look in LOOKS.items())
    classes = "".join(f".s-{name.lower()}{{--state:var(--c-{name.lower()})}}" for name in LOOKS)
    return (
        f":root{{{light}}}"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{dark}}}}}"
        f":root[data-theme=dark]{{{dark}}}"
        f"{classes}\n"
    )
