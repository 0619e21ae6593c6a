"""Printing what any terminal can take."""

from __future__ import annotations

import sys

from headwater.core.text import escaped


def print_escaped(text: str) -> None:
    """Print lines to standard output; what its encoding cannot show is escaped, so that what was done is shown in any locale."""
    stream = sys.stdout
    stream.write(escaped(text, getattr(stream, "encoding", None)) + "\n")
    stream.flush()
