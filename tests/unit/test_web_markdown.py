"""Markdown of users becomes HTML that can do no harm, whatever is in it."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headwater.web.markdown import BRACKETS_MAX, is_safe_link, rendered

TAGS = frozenset(
    "p h1 h2 h3 h4 h5 h6 strong em s a img ul ol li blockquote pre code table thead tbody tr th td hr br".split()  # noqa: SIM905 - a list of words
)
ATTRIBUTES = {"a": {"href", "rel", "title"}, "img": {"src", "alt"}, "ol": {"start"}, "code": {"class"}, "th": {"class"}, "td": {"class"}}


class Reader(HTMLParser):
    """Fails for a tag, an attribute or an address that must not be there."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ATTRIBUTES.get(tag, set()), (tag, name)
            if name == "href":
                assert is_safe_link(value or "") or (value or "").startswith(("#", "data:image/")), value
            if name == "src":
                assert (value or "").startswith("data:image/"), value
            if name == "class" and tag != "code":
                assert value in {"to-left", "to-center", "to-right"}, value


_MARKS = ["[", "]", "(", ")", "<", ">", "!", "`", "```", "*", "_", "~~", "|", "\n", "\n\n", "> ", "- ", "1. ", "# ", "\\", '"', "'", "&"]
_ADDRESSES = ["javascript:", "JAVASCRIPT:alert(1)", "data:", "data:image/png;base64,AA", "vbscript:", "//evil", "https://x.example", "#x"]
_TRICKS = ["<script>", "</p>", "<img src=x onerror=y>", " onclick=x", "style=x", "|-|\n", "|:-:|\n", "&#106;", "%0a", "\x00", "\u202e"]
_MORE = ["]: ", ":", "/path", "\r", "\t", "&colon;", "&Tab;", "data:image/svg+xml,<svg onload=x>", " "]
_PIECES = st.sampled_from(_MARKS + _ADDRESSES + _TRICKS + _MORE)


@settings(max_examples=600, deadline=None)
@given(st.lists(_PIECES | st.text(max_size=4), max_size=30).map("".join))
def test_no_text_makes_a_tag_or_an_address_that_does_something(text: str) -> None:
    Reader().feed(rendered(text) or "")


@pytest.mark.parametrize(
    ("address", "safe"),
    [
        ("https://x.example/a?b=1#c", True),
        ("http://127.0.0.1:8080", True),
        ("HTTPS://x.example", True),
        ("/default/runs", True),
        ("/", True),
        ("//x.example", False),
        ("/\\x.example", False),
        ("javascript:alert(1)", False),
        ("java\tscript:alert(1)", False),
        (" https://x.example", False),
        ("https:x", False),
        ("https://", False),
        ("http://[x", False),
        ("mailto:ana@example.com", False),
        ("x/y", False),
        ("", False),
    ],
)
def test_only_addresses_of_the_web_and_paths_of_this_site_are_followed(address: str, safe: bool) -> None:
    assert is_safe_link(address) is safe


def test_a_text_with_too_many_brackets_is_not_rendered() -> None:
    assert rendered("[" * BRACKETS_MAX) is not None
    assert rendered("[" * (BRACKETS_MAX + 1)) is None


def test_what_people_write_looks_as_they_mean_it() -> None:
    html = rendered(
        "# Rows\n\n**7** of [all](https://x.example)\n\n|a|\n|-|\n|1|\n\n![plot](data:image/png;base64,AAAA) ![there](https://x.example/y.png)"
    )

    assert html is not None
    for part in ("<h1>Rows</h1>", "<strong>7</strong>", "<td>1</td>", '<img src="data:image/png;base64,AAAA" alt="plot">', ">there</a>"):
        assert part in html
