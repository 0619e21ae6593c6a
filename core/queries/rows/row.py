"""What every row of an answer is."""

from __future__ import annotations

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a view. `msgspec.to_builtins(row)` is what `--output json` prints."""
