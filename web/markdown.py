"""Markdown of users as HTML that can do no harm: no HTML of theirs, no scripts, no addresses that a browser would act on.

Images are shown only where the text holds them itself; others would tell another site who looks, and our content policy blocks them anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup, escape

_IMAGES = ("data:image/png;base64,", "data:image/jpeg;base64,", "data:image/gif;base64,", "data:image/webp;base64,")


def is_safe_link(address: str) -> bool:
    r"""Tell whether an address may be followed: one of the web, or a path of this site.

    Browsers take `//x` and `/\x` for other sites, and pass over control characters and spaces at the beginning.
    """
    if any(character <= " " or character == "\x7f" for character in address) or address.startswith(("//", "/\\")):
        return False
    if address.startswith("/"):
        return True
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)


BRACKETS_MAX = 1_000
"""From each `[` the parser looks for its end: 65,536 of them would take it seconds."""


@lru_cache(maxsize=64)
def rendered(markdown: str) -> Markup | None:
    """Return the text as HTML; None where it would take too long, and is better shown as text."""
    if markdown.count("[") > BRACKETS_MAX:
        return None
    return Markup(_parser().render(markdown))  # noqa: S704 - whatever is in the text, the parser escapes it


class _Parser(MarkdownIt):
    def validateLink(self, url: str) -> bool:  # noqa: N802 - the parser's name
        return is_safe_link(url) or url.startswith(("#", *_IMAGES))


@cache
def _parser() -> MarkdownIt:
    parser = _Parser("js-default", {"html": False, "linkify": False})
    parser.add_render_rule("image", _image)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("th_open", _cell_open)
    parser.add_render_rule("td_open", _cell_open)
    return parser


def _link_open(renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, _env: EnvType) -> str:
    tokens[index].attrSet("rel", "noopener noreferrer nofollow")
    return str(_as_usual(renderer).renderToken(tokens, index, options, _env))


def _cell_open(renderer: RendererProtocol, tokens: Sequence[Token], index: int, options: OptionsDict, _env: EnvType) -> str:
    """Align a cell by a class: our content policy lets no text bring styles along."""
    if style := tokens[index].attrs.pop("style", None):
        tokens[index].attrSet("class", str(style).replace("text-align:", "to-"))
    return str(_as_usual(renderer).renderToken(tokens, index, options, _env))


def _as_usual(renderer: RendererProtocol) -> Any:
    return renderer


def _image(_renderer: RendererProtocol, tokens: Sequence[Token], index: int, _options: OptionsDict, _env: EnvType) -> str:
    """Return an image that the text holds; of another one its description, as a link to it where it may be followed."""
    source, words = str(tokens[index].attrGet("src") or ""), tokens[index].content
    if source.startswith(_IMAGES):
        return str(Markup('<img src="{}" alt="{}">').format(source, words))  # what joins it to other text must not escape that
    if is_safe_link(source):
        return str(Markup('<a href="{}" rel="noopener noreferrer nofollow">{}</a>').format(source, words or source))
    return str(escape(words))
