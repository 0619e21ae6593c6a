"""The pages about the server itself: its event log, and how far the views follow it."""

from __future__ import annotations

from headwater.core.log import subjects
from headwater.core.log.commit import Position
from headwater.core.log.health import ask_health
from headwater.core.log.protocol import EventLog, Recorded
from headwater.web.pages.page import Page, Params, Sources
from headwater.web.pages.run_tabs import commit_row

COMMITS_SHOWN = 100
SCANNED_AT_ONCE = 500
SCANNED_MAX = 5_000
DEAD_LETTERS_SHOWN = 50
KINDS = ("run", "flow", "project", "agent", "queue", "name", "part")


async def log_page(sources: Sources, _: Params, query: Params) -> Page:
    """Show the newest commits of the whole log, or those up to `until`; of one kind, or with a text in their subject, actor or bytes."""
    tail = await sources.log.events.tail()
    asked = query.get("until", "")
    until = min(int(asked), tail.position) if asked.isascii() and asked.isdigit() and len(asked) <= 15 else tail.position  # noqa: PLR2004
    kind = query.get("kind", "")
    found, scanned_to = await newest(sources.log.events, until, kind=kind if kind in KINDS else "", text=query.get("text", ""))
    context = {
        "commits": [commit_row(each) for each in found],
        "query": query,
        "kinds": KINDS,
        "tail": tail,
        "older": scanned_to if scanned_to > 0 else None,
        "newest": until == tail.position,
    }
    return Page(template="log.html", title="Event log", context=context, position=tail.position)


async def newest(log: EventLog, until: Position, *, kind: str, text: str) -> tuple[list[Recorded], Position]:
    """Return up to 100 commits that match, newest first, and the position before which was not looked at."""
    found: list[Recorded] = []
    end = until
    while end > 0 and len(found) < COMMITS_SHOWN and until - end < SCANNED_MAX:
        begin = max(0, end - (SCANNED_AT_ONCE if kind or text else COMMITS_SHOWN))
        batch = [each async for some in log.read_all(after=begin, until=end) for each in some]
        found += [each for each in reversed(batch) if _matches(each, kind, text)]
        end = begin
    if len(found) > COMMITS_SHOWN:
        found = found[:COMMITS_SHOWN]
        end = found[-1].position - 1
    return found, end


def _matches(recorded: Recorded, kind: str, text: str) -> bool:
    if kind and subjects.kind_of(recorded.subject) != kind:
        return False
    return (
        not text or text.casefold() in recorded.subject.casefold() or text.casefold() in recorded.data.decode(errors="replace").casefold()
    )


async def server_page(sources: Sources, _: Params, __: Params) -> Page:
    """Show how far the views are, the dead letters, and what the log holds."""
    status = await sources.views.status(set_aside_limit=0)
    tail = await sources.log.events.tail()
    counts = await sources.views.run_counts()
    context = {
        "status": status,
        "letters": await sources.views.dead_letters(limit=DEAD_LETTERS_SHOWN),
        "tail": tail,
        "counts": counts,
        "url": sources.log.url,
        "sizes": await sources.log.sizes(),
        "health": await ask_health(sources.log),
    }
    return Page(template="server.html", title="Server", context=context, position=tail.position)
