"""Templates: everything they print is escaped, every time is UTC for those without scripts, and blocks render by themselves.

A block whose name begins with `live_` is a part that pages keep up to date: it can be rendered without the page around it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
import jinja2.nodes
import msgspec
from markupsafe import Markup

from headwater.core.text import seen
from headwater.core.values.amounts import size_words, span_words
from headwater.web.assets import asset_url, favicon
from headwater.web.log_lines import clean, level_name, line_html, shortened
from headwater.web.state_styles import group_of, state_class

LIVE = "live_"
_LOADER = jinja2.PackageLoader("headwater.web", "templates")
NOT_YET = "\N{EN DASH}"


@cache
def environment() -> jinja2.Environment:
    """Return the templates, with the words they use."""
    made = jinja2.Environment(
        loader=_LOADER,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: seen(value) if isinstance(value, str) else value,
    )
    made.filters.update(
        when=when,
        moment=moment,
        iso=_iso,
        first_upper=lambda words: words[:1].upper() + words[1:],
        clock=clock,
        duration=duration,
        state=state_class,
        pretty=pretty_json,
        json=one_line_json,
        number=number,
        bytes=size_words,
        span=span_words,
        plain=msgspec.to_builtins,
        plural=plural,
        pathpart=path_part,
        short=short_id,
        level=level_name,
        clean=lambda text: shortened(clean(text)),
    )
    made.globals.update(
        line_html=line_html,
        asset=asset_url,
        favicon=favicon,
        lasted=lasted,
        with_query=with_query,
        group_of=group_of,
        now=lambda: datetime.now(UTC),
    )
    # Macros as a global: blocks rendered by themselves see no imports of their template.
    made.globals["ui"] = made.get_template("macros.html").module
    return made


def render(template: str, context: Mapping[str, Any]) -> str:
    """Return the whole page."""
    return environment().get_template(template).render(context)


def render_live(template: str, context: Mapping[str, Any]) -> dict[str, str]:
    """Return the live parts of the page by their names, rendered by themselves."""
    inner = environment().get_template(template).new_context(dict(context))
    return {name: "".join(block(inner)) for name, block in _live_blocks(template).items()}


@cache
def _live_blocks(template: str) -> Mapping[str, Callable[[jinja2.runtime.Context], Iterator[str]]]:
    """Return the live blocks of the template and of those it extends."""
    source, _, _ = _LOADER.get_source(environment(), template)
    parent = environment().parse(source).find(jinja2.nodes.Extends)
    found = dict(_live_blocks(parent.template.as_const())) if parent is not None else {}
    blocks = environment().get_template(template).blocks
    return found | {name: block for name, block in blocks.items() if name.startswith(LIVE)}


def when(at: datetime | None, empty: str = NOT_YET) -> Markup:
    """Return a time; the page's script shows it in the reader's zone and says how long ago it was."""
    if at is None:
        return Markup('<span class="none">{}</span>').format(empty)
    return Markup('<time datetime="{}" data-ago>{}</time>').format(_iso(at), _utc(at))


def moment(at: datetime) -> Markup:
    """Return a time as such: the page's script shows its day and time in the reader's zone."""
    return Markup('<time datetime="{}" data-moment>{}</time>').format(_iso(at), _utc(at))


def clock(at: datetime | None) -> Markup:
    """Return a time of day to the millisecond, for lists whose lines follow each other closely."""
    if at is None:
        return Markup("")
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}" data-clock title="{}">{}</time>').format(
        _iso(at), _utc(at), f"{utc:%H:%M:%S}.{utc.microsecond // 1000:03d}"
    )


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def lasted(start: datetime | None, end: datetime | None) -> Markup:
    """Return how long something took, or takes: without an end the page's script lets it grow."""
    if start is None:
        return Markup('<span class="none">{}</span>').format(NOT_YET)
    if end is None:
        return Markup('<span class="dur" data-from="{}">{}</span>').format(_iso(start), duration(datetime.now(UTC) - start))
    return Markup('<span class="dur">{}</span>').format(duration(end - start))


def duration(length: timedelta | float | None) -> str:
    """Return a length of time (a number is seconds) with as many units as people read at a glance."""
    if length is None:
        return NOT_YET
    seconds = max(0.0, length.total_seconds() if isinstance(length, timedelta) else float(length))
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:  # noqa: PLR2004
        return f"{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def pretty_json(value: Any) -> str:
    """Return a value as indented JSON."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def one_line_json(value: Any) -> str:
    """Return a value as JSON on one line, for people."""
    return json.dumps(value, ensure_ascii=False, default=str)


def number(count: int) -> str:
    """Return a number with its thousands apart."""
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return "1 run", "2 runs"."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def path_part(text: object) -> str:
    """Return the text as one part of a path."""
    return quote(str(text), safe="")


def short_id(identifier: str) -> str:
    """Return the last eight characters of an id: the first ones of ids made at about the same time are the same."""
    return identifier[-8:]


def with_query(params: Mapping[str, str], **changes: object) -> str:
    """Return the query string of `params` with changes; a None takes a name out."""
    merged = {**params, **changes}
    kept = {name: str(value) for name, value in merged.items() if value not in {None, ""}}
    return f"?{urlencode(kept)}" if kept else "?"
