"""What tasks leave for people to look at: links, texts in Markdown, tables. They show on the page of the task run.

    from headwater.backend.artifacts import create_link_artifact, create_markdown_artifact

    @task
    def report(rows):
        create_markdown_artifact(f"# {len(rows)} rows")
        create_link_artifact("https://reports.example.com/today")

Outside of a run that the server knows nothing is made, and None is returned, so that the same flow runs with `flow.run()`. The names that
these functions had before (`create_link`, `update_markdown`, ...) are here as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from headwater.core.errors import InvalidArgument, InvalidArtifact
from headwater.core.events import TaskRunArtifactCreated, TaskRunArtifactDeleted, TaskRunArtifactUpdated
from headwater.core.runs.artifact import valid_data
from headwater.core.text import escaped, shown
from headwater.core.values.identifiers import artifact_address, new_id, split_artifact_address
from headwater.sdk.backend.connection import shared_client
from headwater.sdk.context.context import context
from headwater.sdk.executors.artifacts import record_artifact


def create_link_artifact(link: str) -> str | None:
    """Show a link on the page of this task run, and return the artifact's id; None outside of a run.

    Args:
        link: an address that begins with `http://`, `https://` or `/` can be followed; any other is shown as text.

    Raises:
        InvalidArtifact: it is empty, holds control characters, or is larger than 64 KB.

    """
    return _create("link", {"link": _text(link)})


def update_link_artifact(task_run_artifact_id: str, link: str) -> None:
    """Let an artifact that is a link show another one.

    Raises:
        InvalidArtifact: as creating it does, or the artifact is not a link.
        InvalidArgument, NotFound: there is no such artifact.

    """
    _update(task_run_artifact_id, "link", {"link": _text(link)})


def create_markdown_artifact(markdown: str) -> str | None:
    """Show a text in Markdown on the page of this task run, and return the artifact's id; None outside of a run.

    Args:
        markdown: CommonMark, with tables. HTML in it is shown as text, and images only where it holds them itself (`data:image/...`).

    Raises:
        InvalidArtifact: it is not a text, or larger than 64 KB.

    """
    return _create("markdown", {"markdown": _text(markdown)})


def update_markdown_artifact(task_run_artifact_id: str, markdown: str) -> None:
    """Let an artifact that is Markdown show another text.

    Raises:
        InvalidArtifact: as creating it does, or the artifact is not Markdown.
        InvalidArgument, NotFound: there is no such artifact.

    """
    _update(task_run_artifact_id, "markdown", {"markdown": _text(markdown)})


def create_table_artifact(table: Any) -> str | None:
    """Show a table on the page of this task run, and return the artifact's id; None outside of a run.

    Args:
        table: a list of rows, each a mapping of columns to values or a sequence of values; or a mapping of columns to their values.

    Raises:
        InvalidArtifact: it is not such a table, or larger than 64 KB.

    """
    return _create("table", _table(table))


def update_table_artifact(task_run_artifact_id: str, table: Any) -> None:
    """Let an artifact that is a table show another one.

    Raises:
        InvalidArtifact: as creating it does, or the artifact is not a table.
        InvalidArgument, NotFound: there is no such artifact.

    """
    _update(task_run_artifact_id, "table", _table(table))


def delete_artifact(task_run_artifact_id: str) -> None:
    """Take an artifact off its task run. Outside of a run nothing is done.

    Raises:
        InvalidArgument, NotFound: there is no such artifact.

    """
    if not _in_run():
        return
    run_id, artifact_id = split_artifact_address(task_run_artifact_id)
    place = _place()
    if run_id == context.flow_run_id and record_artifact(TaskRunArtifactDeleted(**place, artifact_id=artifact_id)):
        return
    shared_client().call(lambda client: client.headwater.artifacts.delete(task_run_artifact_id))


create_link, update_link = create_link_artifact, update_link_artifact
create_markdown, update_markdown = create_markdown_artifact, update_markdown_artifact
create_table, update_table = create_table_artifact, update_table_artifact


def _create(kind: str, data: dict[str, Any]) -> str | None:
    if not _in_run():
        return None
    place, artifact_id = _place(), new_id()
    run_id: str = context.flow_run_id
    event = TaskRunArtifactCreated(**place, artifact_id=artifact_id, kind=kind, data=valid_data(kind, data))
    if record_artifact(event):
        return artifact_address(run_id, artifact_id)
    # In a process that the task started by itself.
    made = shared_client().call(lambda client: client.headwater.artifacts.create(run_id, event.slug, event.map_index, kind, data))
    return made.id


def _update(address: str, kind: str, data: dict[str, Any]) -> None:
    if not _in_run():
        return
    run_id, artifact_id = split_artifact_address(address)
    event = TaskRunArtifactUpdated(**_place(), artifact_id=artifact_id, data=valid_data(kind, data))
    if run_id == context.flow_run_id and record_artifact(event):
        return
    shared_client().call(lambda client: client.headwater.artifacts.update(address, data))


def _in_run() -> bool:
    return bool(context.get("running_with_backend"))


def _place() -> dict[str, Any]:
    """Return which task run this is, and when."""
    slug = context.get("task_slug")
    if slug is None:
        raise InvalidArgument("An artifact belongs to a task run, and this is outside of one.", hint="Make it in the code of a task.")
    index = context.get("map_index")
    return {"slug": slug, "map_index": -1 if index is None else index, "at": datetime.now(UTC)}


def _text(value: Any) -> Any:
    """Return a text as it can be stored; what is none comes back as it is, and the rules refuse it."""
    return escaped(value) if isinstance(value, str) else value


def _table(table: Any) -> dict[str, Any]:
    """Return the table as its columns and rows."""
    if isinstance(table, Mapping):
        columns = list(table)
        if not all(_is_sequence(values) for values in table.values()) or len({len(values) for values in table.values()}) > 1:
            raise InvalidArtifact("A table that maps columns to values has as many of them in each column.")
        rows: list[Sequence[Any]] = list(zip(*table.values(), strict=True))
    elif _is_sequence(table) and all(isinstance(row, Mapping) for row in table):
        columns = list(dict.fromkeys(column for row in table for column in row))
        rows = [[row.get(column) for column in columns] for row in table]
    elif _is_sequence(table) and all(_is_sequence(row) for row in table):
        width = max((len(row) for row in table), default=0)
        columns = [""] * width
        rows = [[*row, *[None] * (width - len(row))] for row in table]
    else:
        raise InvalidArtifact("A table is a list of mappings, a list of lists, or a mapping of columns to lists of values.")
    return {"columns": [_text(shown(column, str)) for column in columns], "rows": [[_cell(value) for value in row] for row in rows]}


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _cell(value: Any) -> Any:
    """Return a value as it is where JSON has such values, and else in words: a table is for people."""
    if value is None or type(value) in {bool, int} or (type(value) is float and isfinite(value)):
        return value
    return escaped(shown(value, str))
