"""Artifacts as pages show them: links that may be followed, Markdown as harmless HTML, tables cut where they are huge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import anyio.to_thread
from markupsafe import Markup

from headwater.core.queries import ArtifactRow, ListArtifacts, RunRow
from headwater.web.log_lines import clean
from headwater.web.markdown import is_safe_link, rendered
from headwater.web.pages.page import Params, Sources

ARTIFACTS_SHOWN = 100
TABLE_ROWS_SHOWN = 500
RENDERED_CHARACTERS_MAX = 256 * 1024
"""So much Markdown is rendered for one page; the rest of it is shown as the text it is."""


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
    left = RENDERED_CHARACTERS_MAX
    shown = []
    for row in found:
        one = _shown(row, left)
        shown.append(one)
        left -= len(row.data.get("markdown", "")) if one.html is not None else 0
    return shown


def _shown(row: ArtifactRow, left: int) -> Shown:
    data = row.data
    match row.kind, data:
        case "link", {"link": str(link)}:
            return Shown(row=row, text=clean(link), followed=is_safe_link(link))
        case "markdown", {"markdown": str(markdown)}:
            text = clean(markdown)
            return Shown(row=row, text=text, html=rendered(text) if len(markdown) <= left else None)
        case "table", {"columns": list(columns), "rows": list(rows)}:
            cells = [[_cell(value) for value in each] for each in rows[:TABLE_ROWS_SHOWN] if isinstance(each, list)]
            return Shown(row=row, columns=[clean(str(column)) for column in columns], rows=cells, more_rows=max(0, len(rows) - len(cells)))
        case _:
            return Shown(row=row, text=clean(str(data)))  # of a newer version, or written by a stranger


def _cell(value: Any) -> str:
    return "" if value is None else clean(str(value))
