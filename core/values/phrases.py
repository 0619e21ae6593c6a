"""Parts of sentences about events, the same for all aggregates."""

from __future__ import annotations

CHARACTERS_SHOWN = 80


def shorten(words: str) -> str:
    """Return words as they fit into a line."""
    joined = " ".join(words.split())
    return joined if len(joined) <= CHARACTERS_SHOWN else f"{joined[:CHARACTERS_SHOWN]}…"


def attempts_phrase(number: int) -> str:
    return "1 attempt was" if number == 1 else f"{number} attempts were"


def because(reason: str) -> str:
    return f": {reason}" if reason else ""


def labels_phrase(labels: tuple[str, ...]) -> str:
    return f"labels {', '.join(labels)}" if labels else "no labels"
