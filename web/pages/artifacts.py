"""Artifacts as pages show them: links that may be followed, Markdown as harmless HTML, tables cut where they are huge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
import msgspec
from markupsafe import Markup

from headwater.core.queries import ArtifactRow, ListArtifacts, RunRow
from headwater.core.values.amounts import size_words
from headwater.web.log_lines import clean
from headwater.web.markdown import is_safe_link, rendered
from headwater.web.pages.page import Params, Sources

ARTIFACTS_SHOWN = 100
TABLE_ROWS_SHOWN = 500
BYTES_SHOWN_MAX = 512 * 1024
"""So much of artifacts one page shows; of those that follow it says how large they are."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An artifact ready to be printed: `html` is safe as it is, everything else is text that templates escape."""

    row: ArtifactRow
    html: Markup | None = None
    text: str = ""
    followed: bool = False
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[Any]] = ()
    more_rows: int = 0


async def shown_artifacts(sources: Sources, run_id: str, *, slug: str | None = None, map_index: int | None = None) -> list[Shown]:
    """Return the artifacts of a run, or of one task run of it, in the order of their creation."""
    query = ListArtifacts(run_id=run_id, slug=slug, map_index=map_index, limit=ARTIFACTS_SHOWN)
    found = await sources.views.ask(query, ArtifactRow)
    # Long texts take a moment, in which others are to be served.
    return await anyio.to_thread.run_sync(_all_shown, found) if found else []


async def artifacts_tab(sources: Sources, run: RunRow, _: Params) -> dict[str, Any]:
    """What the tasks of the run left for people to look at."""
    return {"artifacts": await shown_artifacts(sources, run.id)}


def _all_shown(found: Sequence[ArtifactRow]) -> list[Shown]:
    left = BYTES_SHOWN_MAX
    shown = []
    for row in found:
        size = len(msgspec.json.encode(row.data))
        left -= size
        shown.append(_shown(row) if left >= 0 else Shown(row=row, text=f"{size_words(size)}, too much for this page; GraphQL gives it."))
    return shown


def _shown(row: ArtifactRow) -> Shown:
    data = row.data
    match row.kind, data:
        case "link", {"link": str(link)}:
            return Shown(row=row, text=clean(link), followed=is_safe_link(link))
        case "markdown", {"markdown": str(markdown)}:
            text = clean(markdown)
            return Shown(row=row, text=text, html=rendered(text))
        case "table", {"columns": list(columns), "rows": list(rows)}:
            cells = [[_cell(value) for value in each] for each in rows[:TABLE_ROWS_SHOWN] if isinstance(each, list)]
            return Shown(row=row, columns=[clean(str(column)) for column in columns], rows=cells, more_rows=max(0, len(rows) - len(cells)))
        case _:
            return Shown(row=row, text=clean(str(data)))  # of a newer version, or written by a stranger


def _cell(value: Any) -> str:
    return "" if value is None else clean(str(value))
