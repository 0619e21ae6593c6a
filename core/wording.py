"""Events in words, for people who read the audit trail. One sentence per event, the same in the command line and in the browser."""

from __future__ import annotations

from typing import Any

from headwater.core import events as e
from headwater.core.events import AnyEvent, event_type

_WORDS_SHOWN = 80


def describe_event(event: AnyEvent) -> str:
    """Return what the event says, as one line without its time and actor."""
    if isinstance(event, e.TaskRunEvent):
        return f"{_task(event)} {_task_run_in_words(event)}"
    words = _project_in_words(event) or _flow_in_words(event) or _flow_settings_in_words(event)
    words = words or _run_in_words(event) or _agent_in_words(event)
    return words or f"{event_type(event)} (of a newer version)"


def _project_in_words(event: AnyEvent) -> str | None:
    match event:
        case e.ProjectCreated():
            return f"project {event.name!r} was created"
        case e.ProjectRenamed():
            return f"the project was renamed to {event.name!r}"
        case e.ProjectDescribed():
            return f"the project's description became {event.description!r}"
        case e.ProjectDeleted():
            return "the project was deleted"
        case e.NameClaimed():
            return f"the {event.kind} name {event.name!r} was taken by {event.owner_id}"
        case e.NameReleased():
            return f"the {event.kind} name {event.name!r} became free"
        case e.KeyValueSet():
            return f"key {event.key!r} was set to {_shortened(repr(event.value))}"
        case e.KeyValueDeleted():
            return f"key {event.key!r} was deleted"
    return None


def _flow_in_words(event: AnyEvent) -> str | None:
    match event:
        case e.FlowRegistered():
            replaced = f", archiving {len(event.archives)} older" if event.archives else ""
            tasks = "1 task" if event.task_count == 1 else f"{event.task_count} tasks"
            return f"flow {event.name!r} was registered as version {event.version} with {tasks}{replaced}"
        case e.RegistrationPart():
            return f"part {event.number} of registration {event.registration_id}: {len(event.tasks)} tasks, {len(event.edges)} edges"
        case e.FlowVersionArchived():
            return f"version {event.version} was archived"
        case e.FlowDeleted():
            return f"the flow was deleted{_because(event.reason)}"
        case e.ConcurrencySet():
            if event.limit is None:
                return "any number of the flow's runs may be executed at once"
            return f"at most {event.limit} {'run' if event.limit == 1 else 'runs'} of the flow may be executed at once"
        case e.SlotTaken():
            return f"attempt {event.attempt} of run {event.run_id} took a slot"
        case e.SlotFreed():
            return f"the slot of run {event.run_id} became free"
        case e.QueueOpened():
            return f"queue {event.queue_id} opened for {_labels(event.labels)}"
        case e.QueueLimitSet():
            if event.limit is None:
                return "any number of the queue's runs may be executed at once"
            return f"at most {event.limit} of the queue's {'run' if event.limit == 1 else 'runs'} may be executed at once"
    return None


def _flow_settings_in_words(event: AnyEvent) -> str | None:
    match event:
        case e.FlowAttemptsLimited():
            if event.attempts_max is None:
                return "new runs of the flow get as many attempts as runs of other flows"
            return f"new runs of the flow fail when {_attempts(event.attempts_max)} lost"
        case e.FlowDescribed():
            return f"the flow's description became {_shortened(event.description)!r}"
        case e.FlowLabelsSet():
            return f"new runs of the flow get {'the labels of their version' if event.labels is None else _labels(event.labels)}"
        case e.FlowDefaultParametersSet():
            values = ", ".join(f"{name}={_shortened(repr(value))}" for name, value in event.parameters.items())
            return f"new runs of the flow get {values or 'the defaults of their version'} where nothing else is given"
    return None


def _run_in_words(event: AnyEvent) -> str | None:  # noqa: C901, PLR0912 - one arm per event
    match event:
        case e.RunCreated():
            return f"run {event.name!r} of {event.flow_name!r} version {event.version} was created, for {_labels(event.labels)}"
        case e.RunScheduled():
            again = "" if event.generation == 1 else f" (schedule {event.generation})"
            return f"scheduled for {event.start_time:%Y-%m-%d %H:%M:%S %Z}{again}"
        case e.RunSubmitted():
            return f"claimed by agent {event.agent_name or event.agent_id} as attempt {event.attempt}"
        case e.RunStarted():
            return f"attempt {event.attempt} started"
        case e.RunSucceeded():
            return f"succeeded: {event.message}"
        case e.RunFailed():
            cause = f" ({event.failure.type}: {event.failure.message})" if event.failure else ""
            return f"failed: {event.message}{cause}"
        case e.RunCancelRequested():
            return f"cancellation was asked for{_because(event.reason)}"
        case e.RunCancelled():
            return f"cancelled: {event.message}"
        case e.RunAttemptLost():
            return f"attempt {event.attempt} was {'handed back' if event.released else 'lost'}{_because(event.reason)}"
        case e.RunAttemptsLimited():
            return f"fails when {_attempts(event.attempts_max)} lost"
        case e.RunRestarted():
            start = f" from task {event.from_task}" if event.from_task else ""
            return f"restarted{start}{_because(event.reason)}"
        case e.RunPaused():
            return f"attempt {event.attempt} ended, since the run waits for people: {event.message}"
        case e.RunStateSet():
            return f"a user set the state from {event.before} to {event.state}{_because(event.reason)}"
        case e.RunRenamed():
            return f"renamed to {event.name!r}"
        case e.RunDeleted():
            return f"deleted{_because(event.reason)}"
    return None


def _agent_in_words(event: AnyEvent) -> str | None:
    match event:
        case e.AgentRegistered():
            return f"{event.kind} agent {event.name!r} took up work on {event.hostname or 'an unnamed host'}, for {_labels(event.labels)}"
        case e.AgentStopped():
            return f"the agent stopped{_because(event.reason)}"
        case e.AgentLost():
            return f"the agent was lost{_because(event.reason)}"
    return None


def _task_run_in_words(event: e.TaskRunEvent) -> str:  # noqa: C901, PLR0912 - one arm per event
    match event:
        case e.TaskRunStarted():
            words = "started" if event.run_count == 1 else f"started, execution {event.run_count}"
        case e.TaskRunSucceeded():
            words = "succeeded"
        case e.TaskRunFailed() | e.TaskRunValidationFailed():
            words = f"failed{_failure(event.failure)}"
        case e.TaskRunTimedOut():
            words = "took too long"
        case e.TaskRunTriggerFailed():
            words = "was not run, its trigger failed"
        case e.TaskRunRetryScheduled():
            words = f"failed{_failure(event.failure)} and is tried again at {event.start_time:%H:%M:%S %Z}"
        case e.TaskRunSkipped():
            words = "was skipped"
        case e.TaskRunCached():
            words = "was served from an earlier result"
        case e.TaskRunMapped():
            words = f"became {event.child_count} task runs"
        case e.TaskRunLooped():
            words = f"asked to run again, loop {event.loop_count}"
        case e.TaskRunPaused():
            words = "waits to be resumed" if event.start_time is None else f"waits until {event.start_time:%H:%M:%S %Z}"
        case e.TaskRunResumed():
            words = f"was resumed{_because(event.message)}"
        case e.TaskRunCancelled():
            words = "was cancelled"
        case e.TaskRunStateSet():
            words = f"was set manually from {event.before} to {event.state}{_because(event.message)}"
        case e.TaskRunArtifactCreated():
            words = f"made the {event.kind} artifact {_artifact(event.data)}"
        case e.TaskRunArtifactUpdated():
            words = f"changed an artifact to {_artifact(event.data)}"
        case e.TaskRunArtifactDeleted():
            words = f"deleted the artifact {event.artifact_id}"
        case e.TaskRunNamed():
            words = f"is named {event.name!r}"
        case _:
            words = event_type(event)
    return words


def _task(event: e.TaskRunEvent) -> str:
    return f"task {event.slug}" if event.map_index < 0 else f"task {event.slug}[{event.map_index}]"


def _artifact(data: dict[str, Any]) -> str:
    """Return what an artifact shows, on one line: its text, or how large the table is."""
    if "rows" in data:
        return f"of {len(data['rows'])} rows"
    return _shortened(repr(data.get("link") or data.get("markdown") or ""))


def _failure(failure: e.Failure | None) -> str:
    return f" ({failure.type}: {failure.message})" if failure else ""


def _shortened(words: str) -> str:
    """Return words as they fit into a line."""
    joined = " ".join(words.split())
    return joined if len(joined) <= _WORDS_SHOWN else f"{joined[:_WORDS_SHOWN]}…"


def _attempts(number: int) -> str:
    return "1 attempt was" if number == 1 else f"{number} attempts were"


def _because(reason: str) -> str:
    return f": {reason}" if reason else ""


def _labels(labels: tuple[str, ...]) -> str:
    return f"labels {', '.join(labels)}" if labels else "no labels"


def size_words(size: int) -> str:
    """Return a number of bytes as people read it, such as `1.4 MB`."""
    amount = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000:  # noqa: PLR2004
            return f"{amount:.0f} {unit}" if unit == "bytes" or amount >= 100 else f"{amount:.1f} {unit}"  # noqa: PLR2004
        amount /= 1000
    return f"{amount:.1f} TB"


def span_words(seconds: float) -> str:
    """Return how long something is kept, such as `7 days`."""
    for length, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= length:
            amount = f"{seconds / length:.1f}".removesuffix(".0")
            return f"{amount} {unit}" if amount == "1" else f"{amount} {unit}s"
    return f"{seconds:.0f} s"
