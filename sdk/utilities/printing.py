"""Printing what any terminal can take."""

from __future__ import annotations

import sys


def print_escaped(text: str) -> None:
    """Print lines to standard output; what its encoding cannot show is escaped, so that what was done is told in any locale."""
    stream = sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    stream.flush()
