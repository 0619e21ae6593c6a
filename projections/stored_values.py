"""Values as PostgreSQL keeps them: texts without U+0000, and JSON as it was written."""

from __future__ import annotations

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode


def text(words: str) -> str:
    """Return words that PostgreSQL can keep: it has no place for U+0000, which shows as U+FFFD."""
    return words.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in words else words


def optional_text(words: str | None) -> str | None:
    return None if words is None else text(words)


def texts(words: tuple[str, ...]) -> list[str]:
    return [*map(text, words)]


def json(value: Any) -> str:
    """Return the value as JSON text, its keys in their order."""
    return _encode(value).decode()


def optional_json(value: Any) -> str | None:
    return None if value is None else _encode(value).decode()
