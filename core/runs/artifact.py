"""The rules of artifacts: what task runs leave for people to look at. They may change as long as their run is not deleted."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import immutables

from headwater.core.errors import InvalidArtifact, NotFound
from headwater.core.events import AnyEvent, TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactEvent, TaskRunArtifactUpdated
from headwater.core.runs.artifact_commands import CreateArtifact, DeleteArtifact, UpdateArtifact
from headwater.core.values.json_bytes import json_bytes
from headwater.core.values.json_values import json_problem
from headwater.core.values.plain_values import shortened

if TYPE_CHECKING:
    from headwater.core.runs.state import Run

DATA_BYTES_MAX = 64 * 1024
"""How large an artifact may be as JSON: it lies in the events of its run."""

KINDS = ("link", "markdown", "table")


class Artifact(NamedTuple):
    """Which task run has the artifact, and of which kind it is. What it shows is in the views."""

    slug: str
    map_index: int
    kind: str


Artifacts = immutables.Map[str, Artifact]


def evolve(artifacts: Artifacts, event: TaskRunArtifactEvent) -> Artifacts:
    match event:
        case TaskRunArtifactCreated():
            return artifacts.set(event.artifact_id, Artifact(event.slug, event.map_index, event.kind))
        case TaskRunArtifactDeleted() if event.artifact_id in artifacts:
            return artifacts.delete(event.artifact_id)
        case _:
            return artifacts


def create(run: Run, command: CreateArtifact) -> Sequence[AnyEvent]:
    if command.artifact_id in run.artifacts:
        return []
    if command.slug not in command.tasks and (command.slug, command.map_index) not in run.task_runs:
        raise NotFound("task run", command.slug, hint=f"The run has the tasks {', '.join(command.tasks) or '(none)'}.")
    data = valid_data(command.kind, command.data)
    place: dict[str, Any] = {"slug": command.slug, "map_index": command.map_index, "at": command.at}
    return [TaskRunArtifactCreated(**place, artifact_id=command.artifact_id, kind=command.kind, data=data)]


def update(run: Run, command: UpdateArtifact) -> Sequence[AnyEvent]:
    found = existing(run, command.artifact_id)
    data = valid_data(found.kind, command.data)
    place: dict[str, Any] = {"slug": found.slug, "map_index": found.map_index, "at": command.at}
    return [TaskRunArtifactUpdated(**place, artifact_id=command.artifact_id, data=data)]


def delete(run: Run, command: DeleteArtifact) -> Sequence[AnyEvent]:
    found = existing(run, command.artifact_id)
    return [TaskRunArtifactDeleted(slug=found.slug, map_index=found.map_index, at=command.at, artifact_id=command.artifact_id)]


def existing(run: Run, artifact_id: str) -> Artifact:
    """Return the artifact of this id. Raises NotFound."""
    found = run.artifacts.get(artifact_id)
    if found is None:
        raise NotFound("artifact", artifact_id)
    return found


def holds(artifacts: Artifacts, event: TaskRunArtifactEvent) -> bool:
    """Tell whether an attempt's event still changes something: another user may have deleted the artifact meanwhile."""
    return (event.artifact_id in artifacts) is not isinstance(event, TaskRunArtifactCreated)


def valid_data(kind: str, data: Any) -> dict[str, Any]:
    """Return what an artifact of this kind shows: a link's `link`, a Markdown text's `markdown`, or a table's `columns` and `rows`.

    Raises:
        InvalidArtifact: it is something else, or larger than 64 KB.

    """
    if kind not in KINDS:
        raise InvalidArtifact(f"{shortened(str(kind))!r} is not a kind of artifact.", hint=f"Kinds are: {', '.join(KINDS)}.")
    if not isinstance(data, dict) or set(data) != set(_FIELDS[kind]):
        fields = " and ".join(map(repr, _FIELDS[kind]))
        raise InvalidArtifact(f"The data of a {kind} artifact is an object with {fields}, and nothing else.")
    if (problem := json_problem(data)) is not None:
        raise InvalidArtifact(f"The {kind} artifact cannot be stored: {problem}.")
    if (problem := _PROBLEMS[kind](data)) is not None:
        raise InvalidArtifact(problem)
    size = len(json_bytes(data))
    if size > DATA_BYTES_MAX:
        raise InvalidArtifact(
            f"The {kind} artifact has {size:,} bytes; at most {DATA_BYTES_MAX:,} are allowed (64 KB).",
            hint="Show less, or write it to a file or an object store and make a link to that.",
        )
    return data


def _link_problem(data: dict[str, Any]) -> str | None:
    link = data["link"]
    if not isinstance(link, str) or not link.strip():
        return f"A link is text that is not empty, and {shortened(repr(link))} is none."
    for character in link:
        if unicodedata.category(character) in {"Cc", "Zl", "Zp"}:
            return f"The link holds the control character U+{ord(character):04X}."
    return None


def _markdown_problem(data: dict[str, Any]) -> str | None:
    markdown = data["markdown"]
    return None if isinstance(markdown, str) else f"Markdown is text, and {shortened(repr(markdown))} is none."


def _table_problem(data: dict[str, Any]) -> str | None:
    columns, rows = data["columns"], data["rows"]
    if not isinstance(columns, list | tuple) or not all(isinstance(column, str) for column in columns):
        return "The columns of a table are a list of texts."
    if not isinstance(rows, list | tuple) or not all(isinstance(row, list | tuple) and len(row) == len(columns) for row in rows):
        return f"The rows of a table are lists with a value for each of its {len(columns)} columns."
    if any(isinstance(cell, list | tuple | dict) for row in rows for cell in row):
        return "A cell of a table is a text, a number, true, false or null."
    return None


_FIELDS = {"link": ("link",), "markdown": ("markdown",), "table": ("columns", "rows")}
_PROBLEMS = {"link": _link_problem, "markdown": _markdown_problem, "table": _table_problem}
